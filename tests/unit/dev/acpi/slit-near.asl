/* SPDX-License-Identifier: MIT */
/* Nearer to another than to itself. */
Signature : "SLIT"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Localities : 0000000000000002
Locality 0 : 0A 09
Locality 1 : 14 0A
