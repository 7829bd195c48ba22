/* SPDX-License-Identifier: MIT */
/* One good window; others above the address space, upside down, on top of it. */
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
End Bus Number : 3F
Reserved : 00000000

Base Address : FFFFFFFFFFF00000
Segment Group Number : 0001
Start Bus Number : 00
End Bus Number : FF
Reserved : 00000000

Base Address : 00000000E0000000
Segment Group Number : 0002
Start Bus Number : 09
End Bus Number : 08
Reserved : 00000000

Base Address : 00000000B1000000
Segment Group Number : 0003
Start Bus Number : 00
End Bus Number : 0F
Reserved : 00000000

Base Address : 00000000C0000000
Segment Group Number : 0000
Start Bus Number : 3F
End Bus Number : 40
Reserved : 00000000
