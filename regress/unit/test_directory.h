/*
 * A directory of a test's own, below /tmp.
 *
 *   char path[TEST_PATH_SIZE];
 *   test_directory_make(path, "verify");
 *   status = test_directory_remove(path);     it and all in it is gone; 0, as teardowns return
 */
#ifndef TEST_DIRECTORY_H
#define TEST_DIRECTORY_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST_PATH_SIZE 64

static inline void test_directory_make(char path[static TEST_PATH_SIZE], const char *name)
{
    for (unsigned number = 0;; number++) { /* past what a process of this id has left behind */
        snprintf(path, TEST_PATH_SIZE, "/tmp/sengi-%s-%d-%u", name, (int)getpid(), number);
        if (mkdir(path, 0700) == 0)
            return;
        if (errno != EEXIST) {
            perror(path);
            abort();
        }
    }
}

static inline int test_directory_remove(const char *path)
{
    char command[TEST_PATH_SIZE + sizeof("rm -rf ''")];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    return system(command);
}

#endif
