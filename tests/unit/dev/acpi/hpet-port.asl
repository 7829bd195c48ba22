/* SPDX-License-Identifier: MIT */
/* Registers at I/O ports, which no HPET has. */
Signature : "HPET"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Hardware Block ID : 8086A201

Timer Block Register : [Generic Address Structure]
Space ID : 01
Bit Width : 40
Bit Offset : 00
Encoded Access Width : 00
Address : 000000000000FED0

Sequence Number : 00
Minimum Clock Ticks : 0080
Flags (decoded below) : 00
4K Page Protect : 0
64K Page Protect : 0
