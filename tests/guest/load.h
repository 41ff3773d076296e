/* SPDX-License-Identifier: GPL-2.0 */
/* What the loads share: their random numbers, and several processes of them. */
#ifndef _GUEST_LOAD_H
#define _GUEST_LOAD_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSES 64

static const char *load_name;
static const char *directory;
static uint64_t state;
static uint64_t verified, allocated;
static volatile sig_atomic_t stop;

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

static uint64_t rnd(void)
{
	return mix(state += 0x9e3779b97f4a7c15ULL);
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", load_name, what, strerror(errno));
	exit(2);
}

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* The end of a process that found nothing. */
static void finish(void)
{
	printf("%s: %llu MiB allocated, %llu MiB verified\n", load_name,
	       (unsigned long long)allocated >> 20,
	       (unsigned long long)verified >> 20);
	fflush(stdout);
	exit(0);
}

/* Whether a process ended badly; one that was killed could not say why itself. */
static int ended_badly(int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "%s: a process was killed by signal %d\n",
			load_name, WTERMSIG(status));
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

/* Waits for all processes; 0 if none of them found anything. */
static int wait_for_all(const pid_t *pids, int n)
{
	int status, bad = 0, told = 0, i;

	for (;;) {
		pid_t pid = wait(&status);

		if (pid > 0) {
			bad |= ended_badly(status);
			continue;
		}
		if (errno != EINTR)
			return bad;
		for (i = 0; stop && !told && i < n; i++)
			kill(pids[i], SIGTERM);
		told = stop;
	}
}

/*
 * The arguments SECONDS MIB PROCESSES DIRECTORY [SEED]; runs @work in so many
 * processes, each with its share of the memory, until the time is over or
 * SIGTERM comes.
 */
static int run_load(int argc, char **argv, void (*work)(time_t end, size_t bytes))
{
	struct sigaction action = { .sa_handler = on_term };
	pid_t pids[MAX_PROCESSES];
	int processes, i;
	size_t bytes;
	time_t end;

	load_name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (argc < 5) {
		fprintf(stderr, "usage: %s SECONDS MIB PROCESSES DIRECTORY [SEED]\n",
			load_name);
		return 2;
	}
	end = time(NULL) + atoi(argv[1]);
	processes = atoi(argv[3]);
	if (processes < 1 || processes > MAX_PROCESSES) {
		fprintf(stderr, "%s: 1 to %d processes\n", load_name,
			MAX_PROCESSES);
		return 2;
	}
	bytes = (size_t)atoi(argv[2]) * (1 << 20) / processes;
	directory = argv[4];
	state = argc > 5 ? strtoull(argv[5], NULL, 0) : (uint64_t)time(NULL);
	printf("%s: seed %llu\n", load_name, (unsigned long long)state);
	fflush(stdout);

	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i]) {
			state = mix(state + i + 1);
			work(end, bytes);
			finish();
		}
	}
	return wait_for_all(pids, processes);
}

#endif /* _GUEST_LOAD_H */
