/*
 * Abbreviations of time zones that date and time input and AT TIME ZONE know, in the order of
 * their names (it is searched by halves). Those that name a zone have had several meanings: the
 * zone's rules at the moment in question tell which.
 */
#include <strings.h>

#include "types/datetime_internal.h"

typedef struct ZoneAbbreviation {
    const char *name;
    int16_t minutes; /* east of UTC */
    bool is_dst;
    const char *zone;
} ZoneAbbreviation;

static const ZoneAbbreviation abbreviations[] = {
    {"ACDT", 630, true, NULL},
    {"ACSST", 630, true, NULL},
    {"ACST", 570, false, NULL},
    {"ACT", -300, false, NULL},
    {"ACWST", 525, false, NULL},
    {"ADT", -180, true, NULL},
    {"AEDT", 660, true, NULL},
    {"AESST", 660, true, NULL},
    {"AEST", 600, false, NULL},
    {"AFT", 270, false, NULL},
    {"AKDT", -480, true, NULL},
    {"AKST", -540, false, NULL},
    {"ALMST", 420, true, NULL},
    {"ALMT", 360, false, NULL},
    {"AMST", 0, false, "Asia/Yerevan"},
    {"AMT", -240, false, NULL},
    {"ANAST", 0, false, "Asia/Anadyr"},
    {"ANAT", 0, false, "Asia/Anadyr"},
    {"ARST", 0, false, "America/Argentina/Buenos_Aires"},
    {"ART", 0, false, "America/Argentina/Buenos_Aires"},
    {"AST", -240, false, NULL},
    {"AWSST", 540, true, NULL},
    {"AWST", 480, false, NULL},
    {"AZOST", 0, true, NULL},
    {"AZOT", -60, false, NULL},
    {"AZST", 0, false, "Asia/Baku"},
    {"AZT", 0, false, "Asia/Baku"},
    {"BDST", 120, true, NULL},
    {"BDT", 360, false, NULL},
    {"BNT", 480, false, NULL},
    {"BORT", 480, false, NULL},
    {"BOT", -240, false, NULL},
    {"BRA", -180, false, NULL},
    {"BRST", -120, true, NULL},
    {"BRT", -180, false, NULL},
    {"BST", 60, true, NULL},
    {"BTT", 360, false, NULL},
    {"CADT", 630, true, NULL},
    {"CAST", 570, false, NULL},
    {"CCT", 480, false, NULL},
    {"CDT", -300, true, NULL},
    {"CEST", 120, true, NULL},
    {"CET", 60, false, NULL},
    {"CETDST", 120, true, NULL},
    {"CHADT", 825, true, NULL},
    {"CHAST", 765, false, NULL},
    {"CHUT", 600, false, NULL},
    {"CKT", 0, false, "Pacific/Rarotonga"},
    {"CLST", -180, true, NULL},
    {"CLT", 0, false, "America/Santiago"},
    {"COT", -300, false, NULL},
    {"CST", -360, false, NULL},
    {"CXT", 420, false, NULL},
    {"DAVT", 0, false, "Antarctica/Davis"},
    {"DDUT", 600, false, NULL},
    {"EASST", 0, false, "Pacific/Easter"},
    {"EAST", 0, false, "Pacific/Easter"},
    {"EAT", 180, false, NULL},
    {"EDT", -240, true, NULL},
    {"EEST", 180, true, NULL},
    {"EET", 120, false, NULL},
    {"EETDST", 180, true, NULL},
    {"EGST", 0, true, NULL},
    {"EGT", -60, false, NULL},
    {"EST", -300, false, NULL},
    {"FET", 180, false, NULL},
    {"FJST", 780, true, NULL},
    {"FJT", 720, false, NULL},
    {"FKST", 0, false, "Atlantic/Stanley"},
    {"FKT", 0, false, "Atlantic/Stanley"},
    {"FNST", -60, true, NULL},
    {"FNT", -120, false, NULL},
    {"GALT", -360, false, NULL},
    {"GAMT", -540, false, NULL},
    {"GEST", 0, false, "Asia/Tbilisi"},
    {"GET", 0, false, "Asia/Tbilisi"},
    {"GFT", -180, false, NULL},
    {"GILT", 720, false, NULL},
    {"GMT", 0, false, NULL},
    {"GYT", 0, false, "America/Guyana"},
    {"HKT", 480, false, NULL},
    {"HST", -600, false, NULL},
    {"ICT", 420, false, NULL},
    {"IDT", 180, true, NULL},
    {"IOT", 0, false, "Indian/Chagos"},
    {"IRKST", 0, false, "Asia/Irkutsk"},
    {"IRKT", 0, false, "Asia/Irkutsk"},
    {"IRT", 210, false, NULL},
    {"IST", 120, false, NULL},
    {"JAYT", 540, false, NULL},
    {"JST", 540, false, NULL},
    {"KDT", 600, true, NULL},
    {"KGST", 360, true, NULL},
    {"KGT", 0, false, "Asia/Bishkek"},
    {"KOST", 0, false, "Pacific/Kosrae"},
    {"KRAST", 0, false, "Asia/Krasnoyarsk"},
    {"KRAT", 0, false, "Asia/Krasnoyarsk"},
    {"KST", 540, false, NULL},
    {"LHDT", 0, false, "Australia/Lord_Howe"},
    {"LHST", 630, false, NULL},
    {"LIGT", 600, false, NULL},
    {"LINT", 0, false, "Pacific/Kiritimati"},
    {"LKT", 0, false, "Asia/Colombo"},
    {"MAGST", 0, false, "Asia/Magadan"},
    {"MAGT", 0, false, "Asia/Magadan"},
    {"MART", -570, false, NULL},
    {"MAWT", 0, false, "Antarctica/Mawson"},
    {"MDT", -360, true, NULL},
    {"MEST", 120, true, NULL},
    {"MESZ", 120, true, NULL},
    {"MET", 60, false, NULL},
    {"METDST", 120, true, NULL},
    {"MEZ", 60, false, NULL},
    {"MHT", 720, false, NULL},
    {"MMT", 390, false, NULL},
    {"MPT", 600, false, NULL},
    {"MSD", 240, true, NULL},
    {"MSK", 0, false, "Europe/Moscow"},
    {"MST", -420, false, NULL},
    {"MUST", 300, true, NULL},
    {"MUT", 240, false, NULL},
    {"MVT", 300, false, NULL},
    {"MYT", 480, false, NULL},
    {"NDT", -150, true, NULL},
    {"NFT", -210, false, NULL},
    {"NOVST", 0, false, "Asia/Novosibirsk"},
    {"NOVT", 0, false, "Asia/Novosibirsk"},
    {"NPT", 345, false, NULL},
    {"NST", -210, false, NULL},
    {"NUT", 0, false, "Pacific/Niue"},
    {"NZDT", 780, true, NULL},
    {"NZST", 720, false, NULL},
    {"NZT", 720, false, NULL},
    {"OMSST", 0, false, "Asia/Omsk"},
    {"OMST", 0, false, "Asia/Omsk"},
    {"PDT", -420, true, NULL},
    {"PET", -300, false, NULL},
    {"PETST", 0, false, "Asia/Kamchatka"},
    {"PETT", 0, false, "Asia/Kamchatka"},
    {"PGT", 600, false, NULL},
    {"PHT", 480, false, NULL},
    {"PKST", 360, true, NULL},
    {"PKT", 300, false, NULL},
    {"PMDT", -120, true, NULL},
    {"PMST", -180, false, NULL},
    {"PONT", 660, false, NULL},
    {"PST", -480, false, NULL},
    {"PWT", 540, false, NULL},
    {"PYST", -180, true, NULL},
    {"PYT", 0, false, "America/Asuncion"},
    {"RET", 240, false, NULL},
    {"SADT", 630, true, NULL},
    {"SAST", 120, false, NULL},
    {"SCT", 240, false, NULL},
    {"SGT", 0, false, "Asia/Singapore"},
    {"TAHT", -600, false, NULL},
    {"TFT", 300, false, NULL},
    {"TJT", 300, false, NULL},
    {"TKT", 0, false, "Pacific/Fakaofo"},
    {"TMT", 0, false, "Asia/Ashgabat"},
    {"TOT", 780, false, NULL},
    {"TRUT", 600, false, NULL},
    {"TVT", 720, false, NULL},
    {"UCT", 0, false, NULL},
    {"ULAST", 540, true, NULL},
    {"ULAT", 0, false, "Asia/Ulaanbaatar"},
    {"UT", 0, false, NULL},
    {"UTC", 0, false, NULL},
    {"UYST", -120, true, NULL},
    {"UYT", -180, false, NULL},
    {"UZST", 360, true, NULL},
    {"UZT", 300, false, NULL},
    {"VET", 0, false, "America/Caracas"},
    {"VLAST", 0, false, "Asia/Vladivostok"},
    {"VLAT", 0, false, "Asia/Vladivostok"},
    {"VOLT", 0, false, "Europe/Volgograd"},
    {"VUT", 660, false, NULL},
    {"WADT", 480, true, NULL},
    {"WAKT", 720, false, NULL},
    {"WAST", 420, false, NULL},
    {"WAT", 60, false, NULL},
    {"WDT", 540, true, NULL},
    {"WET", 0, false, NULL},
    {"WETDST", 60, true, NULL},
    {"WFT", 720, false, NULL},
    {"WGST", -120, true, NULL},
    {"WGT", -180, false, NULL},
    {"XJT", 360, false, NULL},
    {"YAKST", 0, false, "Asia/Yakutsk"},
    {"YAKT", 0, false, "Asia/Yakutsk"},
    {"YAPT", 600, false, NULL},
    {"YEKST", 360, true, NULL},
    {"YEKT", 0, false, "Asia/Yekaterinburg"},
    {"Z", 0, false, NULL},
    {"ZULU", 0, false, NULL},
};

static bool abbreviation_moment(const ZoneAbbreviation *a, int64_t timestamptz, int32_t *ret_offset,
                                bool *ret_is_dst)
{
    *ret_offset = a->minutes * 60;
    *ret_is_dst = a->is_dst;
    if (!a->zone)
        return true;
    const TimeZone *zone = timezone_find(str_from_c(a->zone));
    if (!zone)
        return false;
    if (!timezone_abbreviation_offset(zone, str_from_c(a->name), timestamptz, ret_offset,
                                      ret_is_dst))
        *ret_offset = timezone_offset_at(zone, timestamptz, NULL, ret_is_dst);
    return true;
}

bool timezone_abbreviation_at(size_t index, int64_t timestamptz, Str *ret_name, int32_t *ret_offset,
                              bool *ret_is_dst)
{
    if (index >= ARRAY_LENGTH(abbreviations))
        return false;
    *ret_name = str_from_c(abbreviations[index].name);
    if (!abbreviation_moment(&abbreviations[index], timestamptz, ret_offset, ret_is_dst))
        *ret_offset = 0;
    return true;
}

static int abbreviation_order(Str word, const char *name)
{
    const int order = strncasecmp(word.data, name, word.length);

    return order == 0 && name[word.length] ? -1 : order;
}

static const ZoneAbbreviation *abbreviation_find(Str word)
{
    size_t low = 0, high = ARRAY_LENGTH(abbreviations);

    while (low < high && word.length > 0) {
        const size_t middle = (low + high) / 2;
        const int order = abbreviation_order(word, abbreviations[middle].name);
        if (order == 0)
            return &abbreviations[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

ZoneAbbreviationKind zone_abbreviation_kind(Str word)
{
    const ZoneAbbreviation *a = abbreviation_find(word);
    return !a          ? ABBREVIATION_NONE
           : a->zone   ? ABBREVIATION_OF_ZONE
           : a->is_dst ? ABBREVIATION_SUMMER
                       : ABBREVIATION_FIXED;
}

bool zone_abbreviation(Str word, int64_t timestamp, ZoneClock clock, int32_t *ret_offset)
{
    const ZoneAbbreviation *a = abbreviation_find(word);
    bool is_dst;
    if (!a)
        return false;
    if (a->zone && clock == ZONE_CLOCK_LOCAL) {
        const TimeZone *zone = timezone_find(str_from_c(a->zone));
        if (!zone)
            return false;
        timestamp -= timezone_offset_of_local(zone, timestamp) * USECS_PER_SEC;
    }
    return abbreviation_moment(a, timestamp, ret_offset, &is_dst);
}
