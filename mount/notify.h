/* notify.h - tells a service manager how far the daemon is, as sd_notify(3) does; nothing without $NOTIFY_SOCKET. */
#pragma once

void notify_ready(void);
void notify_stopping(void);
