
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Replays files, and the files of directories, through a fuzz target that is
 * linked without a fuzzer.  A failed property aborts.
 */


#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static unsigned  replayed;
static unsigned  unreadable;


static void
replay_file(const char *path, size_t size)
{
    FILE     *file;
    uint8_t  *data;

    /* exactly as large as the input, for the address sanitizer */

    data = malloc(size ? size : 1);
    file = fopen(path, "rb");

    if (data == NULL || file == NULL
        || fread(data, 1, size, file) != size)
    {
        printf("%s: cannot be read\n", path);
        unreadable++;

    } else {
        (void) LLVMFuzzerTestOneInput(data, size);
        replayed++;
    }

    if (file != NULL) {
        fclose(file);
    }

    free(data);
}


static void
replay(const char *path)
{
    int              n;
    DIR             *dir;
    char             name[4096];
    struct stat      st;
    struct dirent   *entry;

    if (stat(path, &st) != 0) {
        printf("%s: cannot be read\n", path);
        unreadable++;
        return;
    }

    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t) st.st_size);
        return;
    }

    dir = opendir(path);

    if (dir == NULL) {
        printf("%s: cannot be read\n", path);
        unreadable++;
        return;
    }

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        n = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);

        if (n > 0 && (size_t) n < sizeof(name)
            && stat(name, &st) == 0 && S_ISREG(st.st_mode))
        {
            replay_file(name, (size_t) st.st_size);
        }
    }

    closedir(dir);
}


int
main(int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc; i++) {
        replay(argv[i]);
    }

    printf("%u inputs replayed, %u unreadable\n", replayed, unreadable);

    return unreadable != 0;
}
