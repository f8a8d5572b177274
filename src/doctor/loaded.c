/* SPDX-License-Identifier: MIT */
#include "doctor/loaded.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/text.h"

static bool is_newer(const char *path, const struct stat *loaded)
{
	struct stat found;

	return stat(path, &found) == 0 && usec_of(&found.st_mtim) > usec_of(&loaded->st_mtim);
}

static bool find_newer(const char *directory, const struct stat *loaded, char *to, size_t size)
{
	/* A folder alone is newer where a file was taken away. */
	static const char *const patterns[] = {NAME_SERVICE_CONFIGURATION, NAME_BOARDS "/*.conf",
		NAME_CHIPS "/*.conf", NAME_BOARDS, NAME_CHIPS};
	bool is_found = false;

	for (size_t i = 0; i < ARRAY_SIZE(patterns) && !is_found; i++) {
		CLEANUP(globfree) glob_t files = {0};
		char pattern[4096];

		if (snprintf(pattern, sizeof(pattern), "%s/%s", directory, patterns[i]) >=
				(int)sizeof(pattern) ||
			glob(pattern, 0, NULL, &files) != 0)
			continue;
		for (size_t j = 0; j < files.gl_pathc && !is_found; j++) {
			is_found = is_newer(files.gl_pathv[j], loaded);
			if (is_found)
				(void)text_escape(files.gl_pathv[j], to, size);
		}
	}
	return is_found;
}

bool loaded_is_older(const char *directory, char *to, size_t size)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(fclosep) FILE *note = NULL;
	const char *runtime = getenv(ENV_RUNTIME);
	char line[4096];
	struct stat loaded;

	if (text_format(&path, "%s/" NAME_LOADED, runtime && *runtime ? runtime : PATH_RUNTIME) < 0)
		return false;
	note = fopen(path, "re");
	if (!note || fstat(fileno(note), &loaded) < 0 || !fgets(line, sizeof(line), note))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, directory) == 0 && find_newer(directory, &loaded, to, size);
}
