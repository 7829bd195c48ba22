/* SPDX-License-Identifier: MIT */
/* One APIC ID three times, an IO-APIC nowhere, an APIC where none can be. */
Signature : "APIC"
Table Length : 00000000
Revision : 05
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Local Apic Address : FEE00010
Flags (decoded below) : 00000001
PC-AT Compatibility : 1

Subtable Type : 00
Length : 08
Processor ID : 00
Local Apic ID : 00
Flags (decoded below) : 00000001
Processor Enabled : 1
Runtime Online Capable : 0

Subtable Type : 00
Length : 08
Processor ID : 01
Local Apic ID : 00
Flags (decoded below) : 00000001
Processor Enabled : 1
Runtime Online Capable : 0

Subtable Type : 09
Length : 10
Reserved : 0000
Processor x2Apic ID : 00000000
Flags (decoded below) : 00000001
Processor Enabled : 1
Processor UID : 00000002

Subtable Type : 00
Length : 08
Processor ID : 03
Local Apic ID : FF
Flags (decoded below) : 00000001
Processor Enabled : 1
Runtime Online Capable : 0

Subtable Type : 01
Length : 0C
I/O Apic ID : 00
Reserved : 00
Address : 00000000
Interrupt : 00000000

Subtable Type : 02
Length : 0A
Bus : 00
Source : 4D
Interrupt : 00000002
Flags (decoded below) : 0000
Polarity : 0
Trigger Mode : 0

Subtable Type : 04
Length : 06
Processor ID : 00
Flags (decoded below) : 0005
Polarity : 1
Trigger Mode : 1
Interrupt Input LINT : 09
