/* SPDX-License-Identifier: MIT */
/* Two segments, the second in two windows. */
Signature : "MCFG"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Reserved : 0000000000000000

Base Address : 00000000B0000000
Segment Group Number : 0000
Start Bus Number : 00
End Bus Number : FF
Reserved : 00000000

Base Address : 0000003F00000000
Segment Group Number : 0001
Start Bus Number : 00
End Bus Number : 7F
Reserved : 00000000

Base Address : 0000003E00000000
Segment Group Number : 0001
Start Bus Number : 80
End Bus Number : FF
Reserved : 00000000
