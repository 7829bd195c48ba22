/* SPDX-License-Identifier: MIT */
/* Four localities; 2 and 3 are far away, and not as far both ways. */
Signature : "SLIT"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Localities : 0000000000000004
Locality 0 : 0A 10 15 15
Locality 1 : 10 0A 15 15
Locality 2 : 1F 1F 0A 10
Locality 3 : 1F 1F 10 0A
