/* SPDX-License-Identifier: MIT */
/* Domains 2 and 0x100: two nodes; a hole for PCI in the first. */
Signature : "SRAT"
Table Length : 00000000
Revision : 03
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Table Revision : 00000001
Reserved : 0000000000000000

Subtable Type : 00
Length : 10

Proximity Domain Low(8) : 02
Apic ID : 00
Flags (decoded below) : 00000001
Enabled : 1
Local Sapic EID : 00
Proximity Domain High(24) : 000000
Clock Domain : 00000000

Subtable Type : 00
Length : 10

Proximity Domain Low(8) : 02
Apic ID : 02
Flags (decoded below) : 00000001
Enabled : 1
Local Sapic EID : 00
Proximity Domain High(24) : 000000
Clock Domain : 00000000

Subtable Type : 02
Length : 18

Reserved1 : 0000
Proximity Domain : 00000100
Apic ID : 00000100
Flags (decoded below) : 00000001
Enabled : 1
Clock Domain : 00000000
Reserved2 : 00000000

Subtable Type : 02
Length : 18

Reserved1 : 0000
Proximity Domain : 00000100
Apic ID : 00000101
Flags (decoded below) : 00000001
Enabled : 1
Clock Domain : 00000000
Reserved2 : 00000000

Subtable Type : 01
Length : 28

Proximity Domain : 00000002
Reserved1 : 0000
Base Address : 0000000000000000
Address Length : 00000000000A0000
Reserved2 : 00000000
Flags (decoded below) : 00000001
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28

Proximity Domain : 00000002
Reserved1 : 0000
Base Address : 0000000000100000
Address Length : 000000007FF00000
Reserved2 : 00000000
Flags (decoded below) : 00000001
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28

Proximity Domain : 00000002
Reserved1 : 0000
Base Address : 0000000100000000
Address Length : 0000000080000000
Reserved2 : 00000000
Flags (decoded below) : 00000001
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28

Proximity Domain : 00000100
Reserved1 : 0000
Base Address : 0000000180000000
Address Length : 0000000100000000
Reserved2 : 00000000
Flags (decoded below) : 00000001
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28

Proximity Domain : 00000007
Reserved1 : 0000
Base Address : 0000000300000000
Address Length : 0000000000100000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 0
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000
