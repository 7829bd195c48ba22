/* SPDX-License-Identifier: MIT */
/* A region of 256 bytes in memory the map does not name. */
Signature : "BERT"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Boot Error Region Length : 00000100
Boot Error Region Address : 0000000140000000
