"""`python -m mes_client` is the command line `mes-client`."""

import sys

from mes_client.cli import main

sys.exit(main())
