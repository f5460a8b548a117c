// SPDX-License-Identifier: Apache-2.0
#include "compute/domain_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compute/domain_xml.h"

enum { DOMAIN_SIZE_MAX = 4 << 20 };

void vg_domain_seen_done(struct vg_domain_seen *domain)
{
	if (!domain)
		return;
	free(domain->tag);
	free(domain->applied);
	free(domain->console_log);
	free(domain->ssh_channel);
	vg_machine_form_done(&domain->form);
	*domain = (struct vg_domain_seen){0};
}

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static bool is_ours(const xmlNode *node)
{
	return is_named(node, "machine") && node->ns && node->ns->href &&
	       strcmp((const char *)node->ns->href, VG_DOMAIN_NAMESPACE) == 0;
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
	for (xmlNode *node = parent ? parent->children : NULL; node; node = node->next) {
		if (is_named(node, name))
			return node;
	}
	return NULL;
}

// malloc'ed, NULL if there is no such node.
static char *content(const xmlNode *node)
{
	xmlChar *text = node ? xmlNodeGetContent((xmlNode *)node) : NULL;
	char *copy = text ? vg_strdup((const char *)text) : NULL;
	xmlFree(text);
	return copy;
}

static char *attribute(xmlNode *node, const char *name)
{
	xmlChar *text = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	char *copy = text ? vg_strdup((const char *)text) : NULL;
	xmlFree(text);
	return copy;
}

// A whole number without sign; 0 if it is none.
static uint64_t number(xmlNode *node)
{
	_auto(vg_string) char *text = content(node);
	uint64_t value = 0;
	if (!text || text[0] < '0' || text[0] > '9' || sscanf(text, "%" SCNu64, &value) != 1)
		return 0;
	return value;
}

static void read_machine(const xmlNode *machine, struct vg_domain_seen *domain)
{
	domain->tag = content(child(machine, "tag"));
	domain->applied = content(child(machine, "applied"));
}

// libvirt writes sizes in KiB.
static uint64_t read_memory(xmlNode *node)
{
	_auto(vg_string) char *unit = attribute(node, "unit");
	uint64_t value = number(node);
	if (unit && strcmp(unit, "b") == 0)
		return value;
	return value > UINT64_MAX / 1024 ? 0 : value * 1024;
}

static void read_vcpu(xmlNode *node, struct vg_machine_form *form)
{
	_auto(vg_string) char *current = attribute(node, "current");
	form->cpu_max = (unsigned)number(node);
	if (!current || sscanf(current, "%u", &form->cpu) != 1)
		form->cpu = form->cpu_max;
}

// What has no name of its own is still counted, under an empty one.
static void read_form(const xmlNode *devices, struct vg_machine_form *form)
{
	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		if (is_named(node, "interface")) {
			char *link = attribute(child(node, "target"), "dev");
			vg_append(form->links, form->n_links) = link ? link : vg_strdup("");
		} else if (is_named(node, "disk")) {
			char *disk = content(child(node, "serial"));
			vg_append(form->disks, form->n_disks) = disk ? disk : vg_strdup("");
		}
	}
}

static void read_devices(const xmlNode *devices, struct vg_domain_seen *domain)
{
	xmlNode *serial = child(devices, "serial");
	domain->console_log = attribute(child(serial, "log"), "file");
	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		if (!is_named(node, "channel") || domain->ssh_channel)
			continue;
		_auto(vg_string) char *name = attribute(child(node, "target"), "name");
		if (name && strcmp(name, VG_CHANNEL_SSH) == 0)
			domain->ssh_channel = attribute(child(node, "source"), "path");
	}
}

static struct vg_error *read_root(xmlNode *root, struct vg_domain_seen *domain)
{
	// The element alone comes without its namespace: whoever asked for it named that.
	if (root && is_named(root, "machine")) {
		read_machine(root, domain);
		return NULL;
	}
	if (!root || !is_named(root, "domain"))
		return vg_error_new("not the XML of a domain");
	xmlNode *metadata = child(root, "metadata");
	for (xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next) {
		if (is_ours(node) && !domain->tag && !domain->applied)
			read_machine(node, domain);
	}
	_auto(vg_string) char *id = attribute(root, "id");
	_auto(vg_string) char *on_crash = content(child(root, "on_crash"));
	domain->is_active = id && strcmp(id, "-1") != 0;
	domain->keeps_crashed = vg_text_equal(on_crash, "preserve");
	domain->form.memory_max = read_memory(child(root, "memory"));
	domain->form.memory = read_memory(child(root, "currentMemory"));
	if (!domain->form.memory)
		domain->form.memory = domain->form.memory_max;
	read_vcpu(child(root, "vcpu"), &domain->form);
	read_devices(child(root, "devices"), domain);
	read_form(child(root, "devices"), &domain->form);
	return NULL;
}

struct vg_error *vg_domain_read(const char *xml, size_t size, struct vg_domain_seen *ret_domain)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, xmlInitParser);
	if (size > DOMAIN_SIZE_MAX)
		return vg_error_new("the XML of a domain is larger than 4 MiB");
	// No XML_PARSE_NOENT and no XML_PARSE_DTDLOAD: entities stay what they are, unread.
	xmlParserCtxt *parser = xmlNewParserCtxt();
	if (!parser)
		abort();
	xmlDoc *document = xmlCtxtReadMemory(parser, xml, (int)size, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	xmlFreeParserCtxt(parser);
	if (!document)
		return vg_error_new("the XML of a domain cannot be read");
	_auto(vg_domain_seen) struct vg_domain_seen domain = {0};
	struct vg_error *error = document->intSubset
					 ? vg_error_new("the XML of a domain has a document type")
					 : read_root(xmlDocGetRootElement(document), &domain);
	xmlFreeDoc(document);
	if (!error) {
		*ret_domain = domain;
		domain = (struct vg_domain_seen){0};
	}
	return error;
}
