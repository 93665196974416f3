/*
 * error.c - the only place where results of the store become an errno.
 */
#include "fs/error.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "fs/core.h"

int error_of_store(int result)
{
	if (result < 0)
		return result;
	switch ((enum store_result)result) {
	case STORE_OK:
		return 0;
	case STORE_ABSENT:
		return ENOENT;
	case STORE_FULL:
		return ENOSPC;
	case STORE_READ_ONLY:
		return EROFS;
	case STORE_BUSY:
	case STORE_OVERTAKEN:
		return EBUSY;
	case STORE_DENIED:
		return EACCES;
	case STORE_NO_DIR:
		return ENOENT;
	case STORE_NEWER:
	case STORE_NOT_EMPTY:
	case STORE_DAMAGED:
	case STORE_HEADLESS:
	case STORE_EMPTIED:
	case STORE_UNFINISHED:
	case STORE_FOREIGN:
		return EINVAL;
	}
	return -EIO;
}

int error_errno(const char *operation, int result)
{
	if (result >= 0)
		return result;
	if (result == -ENOSPC || result == -EDQUOT)
		return -result; /* of the device under the store: its user's to mend */
	fs_log(LOG_ERR, "error: %s: %s", operation, strerror(-result));
	return result == -ENOMEM ? ENOMEM : EIO;
}
