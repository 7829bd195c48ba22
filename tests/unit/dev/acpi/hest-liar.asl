/* SPDX-License-Identifier: MIT */
/* Counts more than it has; generic sources that announce and keep nonsense. */
Signature : "HEST"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Error Source Count : FFFFFFFF

Subtable Type : 0009
Source Id : 0001
Related Source Id : FFFF
Reserved : 00
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Max Raw Data Length : 00001000

Error Status Address : [Generic Address Structure]
Space ID : 05
Bit Width : 40
Bit Offset : 00
Encoded Access Width : 04
Address : 000000003FF00000

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

Subtable Type : 0009
Source Id : 0002
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
Address : 000000003FF00000

Notify : [Hardware Error Notification Structure]
Notify Type : 63
Notify Length : 1C
Configuration Write Enable : 0000
PollInterval : 000003E8
Vector : 00000000
Polling Threshold Value : 00000000
Polling Threshold Window : 00000000
Error Threshold Value : 00000000
Error Threshold Window : 00000000

Error Status Block Length : 00001000

Subtable Type : 0009
Source Id : 0003
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
Address : 000000003FF00000

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

Error Status Block Length : 00000004

Subtable Type : 0009
Source Id : 0004
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
Address : 000000003FF00000

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

Error Status Block Length : FFFFFFFF

Subtable Type : 0009
Source Id : 0005
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
Address : 0000000000000000

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
Address : 000000003FF00000

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
