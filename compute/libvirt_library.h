// SPDX-License-Identifier: Apache-2.0
//
// Libvirt's client library, loaded when a hypervisor is first asked. It brings some sixty
// libraries, which take 11 ms to load: longer than most commands need that ask no hypervisor. Every
// call of libvirt's goes through the table; its own manual says what each does.
#pragma once

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/error.h"

// clang-format off
#define VG_LIBVIRT_FUNCTIONS(X) \
	X(virConnectClose) \
	X(virConnectGetAllDomainStats) \
	X(virConnectGetDomainCapabilities) \
	X(virConnectGetLibVersion) \
	X(virConnectGetVersion) \
	X(virConnectIsAlive) \
	X(virConnectListAllDomains) \
	X(virConnectOpenAuth) \
	X(virConnectSetKeepAlive) \
	X(virDomainCreateWithFlags) \
	X(virDomainDefineXMLFlags) \
	X(virDomainDestroyFlags) \
	X(virDomainFree) \
	X(virDomainGetMetadata) \
	X(virDomainGetName) \
	X(virDomainGetSchedulerType) \
	X(virDomainGetState) \
	X(virDomainGetUUID) \
	X(virDomainGetUUIDString) \
	X(virDomainGetXMLDesc) \
	X(virDomainIsActive) \
	X(virDomainIsPersistent) \
	X(virDomainLookupByUUIDString) \
	X(virDomainOpenChannel) \
	X(virDomainOpenConsole) \
	X(virDomainPMWakeup) \
	X(virDomainResume) \
	X(virDomainShutdownFlags) \
	X(virDomainStatsRecordListFree) \
	X(virDomainUndefineFlags) \
	X(virEventAddHandle) \
	X(virEventRegisterDefaultImpl) \
	X(virEventRemoveHandle) \
	X(virEventRunDefaultImpl) \
	X(virEventUpdateHandle) \
	X(virGetLastError) \
	X(virGetLastErrorMessage) \
	X(virNodeGetInfo) \
	X(virResetLastError) \
	X(virSetErrorFunc) \
	X(virStreamAbort) \
	X(virStreamEventAddCallback) \
	X(virStreamEventRemoveCallback) \
	X(virStreamEventUpdateCallback) \
	X(virStreamFinish) \
	X(virStreamFree) \
	X(virStreamNew) \
	X(virStreamRecv) \
	X(virStreamSend) \
	X(virTypedParamsGetInt)
// Those of libvirt-qemu.
#define VG_LIBVIRT_QEMU_FUNCTIONS(X) \
	X(virDomainQemuAgentCommand)
// clang-format on

struct vg_libvirt_table {
#define X(name) __typeof__(name) *name;
	VG_LIBVIRT_FUNCTIONS(X)
	VG_LIBVIRT_QEMU_FUNCTIONS(X)
#undef X
};

// To be used behind a vg_libvirt_load() that succeeded.
extern struct vg_libvirt_table vg_libvirt;

// Fills the table, once; thread-safe. An error whose hint is the remedy when a library is missing
// or lacks a function.
struct vg_error *vg_libvirt_load(void) VG_MUST_CHECK;
