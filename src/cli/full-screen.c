/* SPDX-License-Identifier: MIT */
/*
 * full-screen.c - a terminal that is redrawn in place.
 *
 * Whoever hides the cursor and turns off the echo leaves a useless terminal behind when he crashes
 * or is killed. So the program runs in a process of its own, and the one that the shell started
 * waits for it and puts the terminal right, after whatever end. It hands on the signals that it
 * gets alone, and stops where the other does (Ctrl-Z), which has given the terminal back before.
 * Where the waiting one is killed, the other gets a SIGTERM and restores the terminal itself.
 */
#include "cli/full-screen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/util.h"
#include "cli/terminal.h"

/* The other screen, no cursor, and no line that goes on in the next. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

struct full_screen {
	struct termios before;
	bool has_before; /* there is a terminal at standard input, too */
	struct screen shown;
	bool is_forgotten; /* what is on the terminal may be anything */
};

/* ------------------------------------------------------------------------------- guard */

/* 1: it has ended, and `ret_code` is set; 0: it goes on. */
static int look_after(pid_t child, int *ret_code)
{
	int status;

	if (waitpid(child, &status, WNOHANG | WUNTRACED) != child)
		return 0;
	if (WIFSTOPPED(status)) {
		/* Both go on when the shell says so. */
		kill(getpid(), SIGSTOP);
		kill(child, SIGCONT);
		return 0;
	}
	if (WIFEXITED(status)) {
		*ret_code = WEXITSTATUS(status);
		return 1;
	}
	*ret_code = 128 + WTERMSIG(status);
	return 1;
}

static void wait_for(pid_t child, const sigset_t *signals, int *ret_code)
{
	while (!look_after(child, ret_code)) {
		int number = sigwaitinfo(signals, NULL);

		/* Those of the terminal reach both, and a second one does no harm. */
		if (number > 0 && number != SIGCHLD && number != SIGTSTP)
			kill(child, number);
	}
}

int full_screen_guard(int *ret_code)
{
	struct termios before;
	bool has_before = tcgetattr(STDIN_FILENO, &before) == 0;
	pid_t parent = getpid(), child;
	sigset_t signals, mask;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTSTP);
	sigaddset(&signals, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &signals, &mask) < 0)
		return -errno;
	child = fork();
	if (child < 0) {
		int r = -errno;

		sigprocmask(SIG_SETMASK, &mask, NULL);
		return r;
	}
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return getppid() == parent ? 0 : -ECHILD;
	}
	wait_for(child, &signals, ret_code);
	if (*ret_code >= 128) {
		(void)write_whole(STDOUT_FILENO, LEAVE, strlen(LEAVE));
		if (has_before)
			tcsetattr(STDIN_FILENO, TCSANOW, &before);
		fprintf(stderr, "plugflash monitor: ended by signal %d\n", *ret_code - 128);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return FULL_SCREEN_GUARD;
}

/* --------------------------------------------------------------------------- the screen */

void full_screen_enter(struct full_screen *screen)
{
	struct termios quiet = screen->before;

	quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (screen->has_before)
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	(void)write_whole(STDOUT_FILENO, ENTER, strlen(ENTER));
	full_screen_forget(screen);
}

void full_screen_leave(struct full_screen *screen)
{
	(void)write_whole(STDOUT_FILENO, LEAVE, strlen(LEAVE));
	if (screen->has_before)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

int full_screen_open(struct full_screen **ret)
{
	struct full_screen *screen = calloc(1, sizeof(*screen));
	sigset_t in_background;

	if (!screen)
		return -ENOMEM;
	/* Who is in the background may not restore the terminal, unless this is blocked. The shell
	 * has put this process there where the one that waits was killed. */
	sigemptyset(&in_background);
	sigaddset(&in_background, SIGTTOU);
	sigprocmask(SIG_BLOCK, &in_background, NULL);
	screen->has_before = tcgetattr(STDIN_FILENO, &screen->before) == 0;
	full_screen_enter(screen);
	*ret = screen;
	return 0;
}

struct full_screen *full_screen_close(struct full_screen *screen)
{
	if (!screen)
		return NULL;
	full_screen_leave(screen);
	screen_done(&screen->shown);
	free(screen);
	return NULL;
}

void full_screen_forget(struct full_screen *screen)
{
	screen->is_forgotten = true;
}

static bool is_shown(const struct full_screen *screen, size_t i, const char *line)
{
	return !screen->is_forgotten && i < screen->shown.n_lines &&
	       strcmp(screen->shown.lines[i], line) == 0;
}

/* Characters without sequences of colours. */
static unsigned columns_of(const char *line)
{
	unsigned columns = 0;

	for (; *line; line++)
		if (*line == '\033')
			line += strcspn(line, "m");
		else
			columns += ((unsigned char)*line & 0xC0) != 0x80;
	return columns;
}

/*
 * Each line is overwritten and its rest cleared, so that nothing is dark for a moment. Behind a
 * whole line the cursor stands on its last character, which would be cleared, too.
 */
static void put_lines(
	FILE *to, const struct full_screen *screen, const struct screen *lines, unsigned width)
{
	for (size_t i = 0; i < lines->n_lines; i++)
		if (!is_shown(screen, i, lines->lines[i]))
			fprintf(to, "\033[%zu;1H%s\033[0m%s", i + 1, lines->lines[i],
				columns_of(lines->lines[i]) < width ? "\033[K" : "");
	/* There is no line below the last: the cursor would stay on it. */
	if (lines->n_lines < terminal_height(stdout) &&
		(screen->is_forgotten || screen->shown.n_lines > lines->n_lines))
		fprintf(to, "\033[%zu;1H\033[J", lines->n_lines + 1);
}

int full_screen_show(struct full_screen *screen, struct screen *lines)
{
	CLEANUP(freep) char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	int r;

	if (!to)
		return -ENOMEM;
	put_lines(to, screen, lines, terminal_width(stdout));
	if (fclose(to) != 0)
		return -ENOMEM;
	r = write_whole(STDOUT_FILENO, text, n);
	screen_done(&screen->shown);
	screen->shown = *lines;
	*lines = (struct screen){0};
	screen->is_forgotten = false;
	return r;
}
