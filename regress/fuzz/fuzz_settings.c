/* Configuration files, and values of every setting: what is taken is shown, and taken again. */
#include "fuzz.h"
#include "server/config.h"
#include "types/type.h"

static void check_value(Arena *arena, SettingId id, Str text)
{
    SettingValues values = settings_default, again = settings_default;

    if (!settings_set(&values, arena, id, text)) {
        error_clear();
        return;
    }
    const Str shown = setting_show(&values, id, arena);
    setting_show_raw(&values, id, arena);
    if (setting_infos[id].type == SETTING_REAL)
        return; /* shown by %g: digits are lost, and at a bound they may round over it */
    fuzz_require(settings_set(&again, arena, id, shown));
    fuzz_require(str_equal(setting_show(&again, id, arena), shown));
}

FUZZ_TARGET(data, size)
{
    static bool is_ready;
    Arena *arena = arena_new("fuzz");
    Input input = input_of(data, size);
    const uint32_t choice = input_number(&input, 2);
    ConfigItems items = {0};

    if (!is_ready)
        types_init();
    is_ready = true;
    if (choice % 2)
        check_value(arena, (SettingId)(choice / 2 % SETTING_COUNT), input.rest);
    else if (config_parse(arena, input.rest, STR("sengi.conf"), &items)) {
        for (size_t i = 0; i < items.length; i++)
            if (!config_item_check(&items.items[i], arena))
                error_clear();
    }
    error_clear();
    arena_free(arena);
    return 0;
}
