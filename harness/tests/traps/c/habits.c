/* A subject whose client takes 4 MiB, in one of three ways: when it is made; before it greets, so that no growth shows it; or when it is made, and given
 * back before the answer, with every page of its code. It answers nothing. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define CLIENT (4L << 20)

static char *make(void) {
    char *client = mmap(NULL, CLIENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (client != MAP_FAILED) memset(client, 1, CLIENT);
    return client;
}

/* Gives back what is mapped from files to be run: the kernel fetches it again when it is needed. */
static void give_back(void) {
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to, inode;
    char rights[8];
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, rights, &inode) == 4 && inode && rights[2] == 'x')
            madvise((void *)from, to - from, MADV_DONTNEED);
    if (maps) fclose(maps);
}

static void say(const char *line) {
    fputs(line, stdout);
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *habit = argc > 1 ? argv[1] : "honest";
    char line[4096], *client = NULL;
    if (!strcmp(habit, "warmed")) client = make();
    say("plimsoll 1 subject=habits allocator=system profile=release build=1\n");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "exit")) return 0;
        if (!strcmp(line, "client")) {
            if (!client) client = make();
            if (!strcmp(habit, "emptied")) {
                madvise(client, CLIENT, MADV_DONTNEED);
                give_back();
            }
        }
        say("ok\n");
    }
    return 0;
}
