/* SPDX-License-Identifier: MIT */
/* One generic source by NMI, where a memory module can be put. */
Signature : "HEST"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Error Source Count : 00000001

Subtable Type : 0009
Source Id : 0006
Related Source Id : FFFF
Reserved : 00
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Max Raw Data Length : 00001000

Error Status Address : [Generic Address Structure]
Space ID : 00
Bit Width : 40
Bit Offset : 00
Encoded Access Width : 04
Address : 0000000140000000

Notify : [Hardware Error Notification Structure]
Notify Type : 04
Notify Length : 1C
Configuration Write Enable : 0000
PollInterval : 000003E8
Vector : 00000000
Polling Threshold Value : 00000000
Polling Threshold Window : 00000000
Error Threshold Value : 00000000
Error Threshold Window : 00000000

Error Status Block Length : 00001000

