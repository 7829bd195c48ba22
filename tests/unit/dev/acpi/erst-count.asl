/* SPDX-License-Identifier: MIT */
/* More instructions counted than there are. */
Signature : "ERST"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "VIGIL "
Oem Table ID : "FIXTURE"
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Serialization Header Length : 00000030
Reserved : 00000000
Instruction Entry Count : 10000001

Action : 00
Instruction : 03
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 01
Instruction : 03
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 02
Instruction : 03
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 03
Instruction : 03
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 04
Instruction : 02
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 05
Instruction : 03
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 06
Instruction : 01
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 07
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 08
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 09
Instruction : 02
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 0A
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 0D
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 0E
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF

Action : 0F
Instruction : 00
Flags (decoded below) : 00
Preserve Register Bits : 0
Reserved : 00

Register Region : [Generic Address Structure]
Space ID : 00
Bit Width : 20
Bit Offset : 00
Encoded Access Width : 03
Address : 00000000FEBF0000

Value : 0000000000000000
Mask : 00000000FFFFFFFF
