// SPDX-License-Identifier: Apache-2.0
//
// The program. All of it is behind vg_cli_main(), so that tests can link it.
#include "box/box.h"
#include "orchestrator/cli/cli.h"

int main(int argc, char *argv[])
{
	if (vg_box_is_main(argc, argv))
		vg_box_main(argc, argv);
	return vg_cli_main(argc, argv);
}
