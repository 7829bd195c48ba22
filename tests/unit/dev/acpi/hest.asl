/* SPDX-License-Identifier: MIT */
/* Every kind of source; generic ones by NMI, polled and by SCI. */
Signature : "HEST"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Error Source Count : 0000000B

Subtable Type : 0000
Source Id : 0000
Reserved1 : 0000
Flags (decoded below) : 00
Firmware First : 0
GHES Assist : 0
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Global Capability Data : 0000000000000000
Global Control Data : 0000000000000000
Num Hardware Banks : 02
Reserved2 : 00000000000000

Bank Number : 00
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000

Bank Number : 01
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000

Subtable Type : 0001
Source Id : 0001
Reserved1 : 0000
Flags (decoded below) : 00
Firmware First : 0
GHES Assist : 0
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001

Notify : [Hardware Error Notification Structure]
Notify Type : 00
Notify Length : 1C
Configuration Write Enable : 0000
PollInterval : 000003E8
Vector : 00000000
Polling Threshold Value : 00000000
Polling Threshold Window : 00000000
Error Threshold Value : 00000000
Error Threshold Window : 00000000

Num Hardware Banks : 03
Reserved2 : 000000

Bank Number : 00
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000

Bank Number : 01
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000

Bank Number : 02
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000

Subtable Type : 0002
Source Id : 0002
Reserved : 00000000
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Max Raw Data Length : 00001000

Subtable Type : 0006
Source Id : 0003
Reserved : 0000
Flags (decoded below) : 00
Firmware First : 0
Global : 0
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Bus : 00000000
Device : 0000
Function : 0000
DeviceControl : 0000
Reserved : 0000
Uncorrectable Mask : 00000000
Uncorrectable Severity : 00000000
Correctable Mask : 00000000
Advanced Capabilities : 00000000
Root Error Command : 00000000

Subtable Type : 0007
Source Id : 0004
Reserved : 0000
Flags (decoded below) : 00
Firmware First : 0
Global : 0
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Bus : 00000000
Device : 0000
Function : 0000
DeviceControl : 0000
Reserved : 0000
Uncorrectable Mask : 00000000
Uncorrectable Severity : 00000000
Correctable Mask : 00000000
Advanced Capabilities : 00000000

Subtable Type : 0008
Source Id : 0005
Reserved : 0000
Flags (decoded below) : 00
Firmware First : 0
Global : 0
Enabled : 00
Records To Preallocate : 00000001
Max Sections Per Record : 00000001
Bus : 00000000
Device : 0000
Function : 0000
DeviceControl : 0000
Reserved : 0000
Uncorrectable Mask : 00000000
Uncorrectable Severity : 00000000
Correctable Mask : 00000000
Advanced Capabilities : 00000000
2nd Uncorrectable Mask : 00000000
2nd Uncorrectable Severity : 00000000
2nd Advanced Capabilities : 00000000

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

Subtable Type : 000A
Source Id : 0007
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
Address : 000000003FF00010

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
Read Ack Register : [Generic Address Structure]
Space ID : 00
Bit Width : 40
Bit Offset : 00
Encoded Access Width : 04
Address : 000000003FF00018
Read Ack Preserve : FFFFFFFFFFFFFFFE
Read Ack Write : 0000000000000001

Subtable Type : 0009
Source Id : 0008
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
Address : 000000003FF00020

Notify : [Hardware Error Notification Structure]
Notify Type : 00
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
Source Id : 0009
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
Address : 000000003FF00030

Notify : [Hardware Error Notification Structure]
Notify Type : 03
Notify Length : 1C
Configuration Write Enable : 0000
PollInterval : 000003E8
Vector : 00000000
Polling Threshold Value : 00000000
Polling Threshold Window : 00000000
Error Threshold Value : 00000000
Error Threshold Window : 00000000

Error Status Block Length : 00001000

Subtable Type : 000B
Source Id : 000A
Reserved1 : 0000
Flags (decoded below) : 00
Firmware First : 0
GHES Assist : 0
Enabled : 01
Records To Preallocate : 00000001
Max Sections Per Record : 00000001

Notify : [Hardware Error Notification Structure]
Notify Type : 00
Notify Length : 1C
Configuration Write Enable : 0000
PollInterval : 000003E8
Vector : 00000000
Polling Threshold Value : 00000000
Polling Threshold Window : 00000000
Error Threshold Value : 00000000
Error Threshold Window : 00000000

Num Hardware Banks : 01
Reserved2 : 000000

Bank Number : 00
Clear Status On Init : 00
Status Format : 00
Reserved : 00
Control Register : 00000000
Control Data : 0000000000000000
Status Register : 00000000
Address Register : 00000000
Misc Register : 00000000
