/* SPDX-License-Identifier: MIT */
/* A region of four gigabytes at the end of all addresses. */
Signature : "BERT"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Boot Error Region Length : FFFFFFFF
Boot Error Region Address : FFFFFFFFFFFFFFF0
