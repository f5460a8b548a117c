// SPDX-License-Identifier: Apache-2.0
//
// Addresses by ioctl(2), see netdevice(7) and, for IPv6, linux/ipv6.h.
#include "images/guest/guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct in6_request { // struct in6_ifreq of linux/ipv6.h, which clashes with libc's headers
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

static bool set_up(int fd, const char *name)
{
	struct ifreq request = {0};
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return false;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static bool set_mtu(int fd, const char *name, int mtu)
{
	struct ifreq request = {.ifr_mtu = mtu};
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	return ioctl(fd, SIOCSIFMTU, &request) == 0;
}

static bool set_ipv4(int fd, const char *name, struct in_addr address, unsigned prefix)
{
	struct ifreq request = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	in->sin_family = AF_INET;
	in->sin_addr = address;
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		return false;
	in->sin_addr.s_addr = prefix ? htonl(~0U << (32 - prefix)) : 0;
	return ioctl(fd, SIOCSIFNETMASK, &request) == 0;
}

static bool set_ipv6(const char *name, struct in6_addr address, unsigned prefix)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in6_request request = {
		.address = address, .prefix = prefix, .index = (int)if_nametoindex(name)};
	bool is_set = fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return is_set;
}

void net_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !set_up(fd, "lo"))
		fault("bringing up lo: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

// The name of the nic with this MAC, or NULL.
static const char *find_nic(const char *mac, char ret_name[IFNAMSIZ])
{
	DIR *folder = opendir("/sys/class/net");
	const struct dirent *entry;
	const char *found = NULL;
	while (folder && !found && (entry = readdir(folder))) {
		char path[300];
		snprintf(path, sizeof(path), "/sys/class/net/%s/address", entry->d_name);
		char *address = file_read(path, NULL);
		if (address && strncasecmp(address, mac, strlen(mac)) == 0) {
			snprintf(ret_name, IFNAMSIZ, "%.15s", entry->d_name);
			found = ret_name;
		}
		free(address);
	}
	if (folder)
		closedir(folder);
	return found;
}

// No duplicate address detection (vgrid gives each address once) and no autoconfiguration: the
// address is usable at once.
static void quiet_ipv6(const char *name)
{
	static const char *const keys[] = {"accept_dad", "accept_ra"};
	for (size_t i = 0; i < LENGTH(keys); i++) {
		char path[128];
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, keys[i]);
		put_text(path, "0");
	}
}

static bool add_address(int fd, const char *name, char *address)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;
	char *slash = strchr(address, '/');
	errno = EINVAL;
	if (!slash)
		return false;
	*slash = '\0';
	unsigned prefix = (unsigned)atoi(slash + 1);
	if (inet_pton(AF_INET, address, &ipv4) == 1 && prefix <= 32)
		return set_ipv4(fd, name, ipv4, prefix);
	errno = EINVAL;
	return inet_pton(AF_INET6, address, &ipv6) == 1 && prefix <= 128 &&
	       set_ipv6(name, ipv6, prefix);
}

void net_configure(const char *mac, const char *mtu, char *address)
{
	char name[IFNAMSIZ];
	if (!find_nic(mac, name)) {
		fault("no nic with MAC '%s'", mac);
		return;
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	quiet_ipv6(name);
	if (fd < 0 || !set_mtu(fd, name, atoi(mtu)))
		fault("setting the MTU of '%s' to %s: %s", name, mtu, strerror(errno));
	if (fd < 0 || !set_up(fd, name) || !add_address(fd, name, address))
		fault("giving '%s' its address '%s': %s", name, address, strerror(errno));
	if (fd >= 0)
		close(fd);
}
