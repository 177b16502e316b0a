/* Does one step per line of its input and stands still in between, so that it can be read from outside. Each step is one way to make a figure of
 * memory say what is not so. It answers with a number; it uses no stdio but where that is the step. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 1000
#define HUGE (2L << 20)
#define THREADS 8

static long page;
static char *name, *folder;

static void answer(long number) {
    char text[32];
    size_t at = sizeof text;
    text[--at] = '\n';
    do text[--at] = (char)('0' + number % 10); while (number /= 10);
    if (write(1, text + at, sizeof text - at) < 0) _exit(1);
}

static int hear(char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size && read(0, line + length, 1) == 1) {
        if (line[length] == '\n') { line[length] = 0; return 1; }
        length++;
    }
    return 0;
}

/* A block that the compiler may not leave out, written to. */
static char *written(size_t bytes) {
    char *block = malloc(bytes);
    if (!block) _exit(1);
    for (size_t i = 0; i < bytes; i++) ((volatile char *)block)[i] = 1;
    return block;
}

static char *map(long bytes) {
    char *at = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) _exit(1);
    return at;
}

/* A client that takes so many blocks for its work and gives back all but the last: the heap does not shrink below that. */
static void work(long blocks) {
    char **all = malloc((size_t)blocks * sizeof *all);
    for (long i = 0; i < blocks; i++) all[i] = written(BLOCK);
    for (long i = 0; i + 1 < blocks; i++) free(all[i]);
    free(all);
}

/* What a program does that looks at its own memory. */
static long look(long times) {
    long fields = 0;
    for (long i = 0; i < times; i++) {
        const char *files[] = {"/proc/self/smaps_rollup", "/proc/self/status"};
        for (int at = 0; at < 2; at++) {
            char *line = NULL;
            size_t size = 0;
            FILE *file = fopen(files[at], "r");
            if (!file) _exit(1);
            while (getline(&line, &size, file) > 0) fields++;
            free(line);
            fclose(file);
        }
    }
    return fields;
}

static void *forever(void *unused) {
    look(1);
    pause();
    return unused;
}

static pthread_barrier_t together;

/* Each of them asks for a block, and gives it back. */
static void *contend(void *unused) {
    free(written(BLOCK));
    pthread_barrier_wait(&together);
    pause();
    return unused;
}

/* Runs a program with this one's input and output until it ends; gives what the kernel says of its memory at the most, KiB. */
static long child(const char *program) {
    struct rusage usage;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, "child", (char *)NULL);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) != pid || status) return 0;
    return usage.ru_maxrss;
}

static long do_step(const char *step, long number, const char *path) {
    if (!strcmp(step, "work")) { work(number); return number; }
    if (!strcmp(step, "look")) return look(number);
    if (!strcmp(step, "names")) {
        name = strdup(program_invocation_name);
        folder = getcwd(NULL, 0);
        return (long)(strlen(name) + strlen(folder));
    }
    if (!strcmp(step, "watch")) {
        pthread_t thread;
        return pthread_create(&thread, NULL, forever, NULL) == 0;
    }
    if (!strcmp(step, "contend")) {
        pthread_t thread;
        pthread_barrier_init(&together, NULL, THREADS + 1);
        for (int i = 0; i < THREADS; i++) if (pthread_create(&thread, NULL, contend, NULL)) _exit(1);
        pthread_barrier_wait(&together);
        return THREADS;
    }
    /* A block of so many bytes, written and given back. */
    if (!strcmp(step, "peak")) {
        free(written((size_t)number));
        return number;
    }
    /* So many pages, touched, and kept or given back. */
    if (!strcmp(step, "hold") || !strcmp(step, "free-lazily")) {
        char *at = map(number * page);
        for (long i = 0; i < number; i++) at[i * page] = 1;
        if (!strcmp(step, "free-lazily") && madvise(at, (size_t)(number * page), MADV_FREE)) return 0;
        return number;
    }
    /* One byte in each of so many stretches of 2 MiB that may become huge pages. */
    if (!strcmp(step, "huge")) {
        char *at = map((number + 1) * HUGE);
        at += HUGE - (long)at % HUGE;
        madvise(at, (size_t)(number * HUGE), MADV_HUGEPAGE);
        for (long i = 0; i < number; i++) at[i * HUGE] = 1;
        return number;
    }
    /* A file, read as the loader reads a program: mapped, and touched. */
    if (!strcmp(step, "map")) {
        struct stat info;
        volatile char sum = 0;
        int file = open(path, O_RDONLY);
        if (file < 0 || fstat(file, &info)) return 0;
        char *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (at == MAP_FAILED) return 0;
        for (long i = 0; i < info.st_size; i += page) sum += at[i];
        return info.st_size;
    }
    if (!strcmp(step, "child")) return child(path);
    if (!strcmp(step, "own-id")) return getpid();
    _exit(3);
}

int main(void) {
    char line[4096], step[32], path[4096];
    page = sysconf(_SC_PAGESIZE);
    while (hear(line, sizeof line) && strcmp(line, "end")) {
        long number = 0;
        path[0] = 0;
        char *rest = strchr(line, ' ');
        if (rest) {
            *rest++ = 0;
            number = atol(rest);
            strncpy(path, rest, sizeof path - 1);
        }
        strncpy(step, line, sizeof step - 1);
        step[sizeof step - 1] = 0;
        answer(do_step(step, number, path));
    }
    return 0;
}
