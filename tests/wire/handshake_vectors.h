#pragma once

#include "posthorn/wire/noise.h"
#include "wire/wire_support.h"

/// Protocol chapter 01 section 12: made with another implementation's handshake fed with fixed
/// keys, and confirmed by a third.
namespace posthorn::wire::test {

inline KeyPair pair(std::string_view private_hex, std::string_view public_hex) {
  return {key(private_hex), key(public_hex)};
}

inline const KeyPair kClientEphemeral =
    pair("1011111111111111111111111111111111111111111111111111111111111151",
         "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13");
inline const KeyPair kClientStatic =
    pair("2022222222222222222222222222222222222222222222222222222222222262",
         "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20");
inline const KeyPair kServerEphemeral =
    pair("3033333333333333333333333333333333333333333333333333333333333373",
         "7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14");
inline const KeyPair kServerStatic =
    pair("4044444444444444444444444444444444444444444444444444444444444444",
         "ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b");
inline const KeyPair kTestRoot =
    pair("5055555555555555555555555555555555555555555555555555555555555555",
         "38ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67");
inline const KeyPair kIntermediate =
    pair("6066666666666666666666666666666666666666666666666666666666666666",
         "219e4d800da968d2a5fcb009c784f4746c7138edb9ee4844b739e830b05cf424");

inline constexpr std::int64_t kNotBefore = 1767225600;
inline constexpr std::int64_t kNotAfter = 2082758400;
inline const Wall kNow = Wall::from_unix(1'790'000'000, true);

inline const Bytes kChain = unhex(
    "0a760a32080210011a20ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b2080f2d6ca"
    "062880be91e1071240321141842d1c731f90b36139d2db7d3e39562628679cacd6fae7b814cfcf73bfe6f08427ac39"
    "9650a7c4df00eca168afb0b8897154219e836ad5c29cebc35c8312760a32080110001a20219e4d800da968d2a5fcb0"
    "09c784f4746c7138edb9ee4844b739e830b05cf4242080f2d6ca062880be91e107124088fa681b5bd587fe8aea7444"
    "09d76665d1ba625c0423c9e4a17d2a6df5af59da173475a247e6527ec3dfd67b95830aa9527cc946cd7bf7b186ee3c"
    "454924b40a");

inline const Bytes kPayload = to_bytes("client payload stands here");

// XX.
inline const Bytes kXxFirstMessage = unhex(
    "57410603 000024 1222 0a207b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13");
inline const Bytes kXxServerHello = unhex(
    "1ad7020a207b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14123076c390387466635d"
    "58f0323bdcbe69099601a1a274074852c87a5a56adbc2200326ad89abf7d0428235760e33dfb73581a8002288b9fb2"
    "a44ada738fa843bef513aebcf7d99d259f6b32bfda1b7e7a82c3979b7c5a5b7622c72687a20ffcae4334141d87b7f8"
    "c0956916edbeed9e3361308768fec2e47562b502842bee0ff88f265c0e2752c14e141a14eb6749650bf9d034023973"
    "e989e1df04d8735a677be710e6bc155d54ebc9d84af55f264f86d0ccb8cc94f7673748139fef82b04c6c63035be394"
    "acc371162c2752d3900fc2dcc727264a98e9b78e16291db0dc0811b601b88eb0959cd44adf97b6899d09c35d473dce"
    "e217b22654e18beef2430a7fe7f94fad47d75dd6b1bea069c06698f369ad0829fd4d2b35d0bbadc6b03a831ea88df0"
    "bf3375ba1a8eda104f6413629d2c4a4681");
inline const Bytes kXxFinishFrame = unhex(
    "000060225e0a30b9cb19690dfcfb9a42e033388870388167c822982ffe1d4ef4c15a4d3e5d9d41b414f72e949255a4"
    "2a47534a4566892d122a23086c73815eb3bec1f2e4aed074c9c1232cc0abbc3ca347db52e7d95b4a60394a239f314c"
    "9e0a1fe514");
inline const TransportKeys kXxKeys = {
    key("eb2fe0bed643c43335b1354ec654dc80e37916a5b95f315e54435ddd476ef060"),
    key("f6363bb26e6e9cb20ac77b14b6ec4ee9c92f3f1d9d1397468bb4ea23bed9d1d8")};

// IK.
inline const Bytes kIkFirstMessage = unhex(
    "57410603 000083 1280010a207b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f131230"
    "f8fb23d0bdc4256cec5aa162b2c205a63d8860b4d8f0e944a0a74a62dbbbfff2e02726c3db18e0d3dc1fcb179e7684"
    "f91a2ac05dfc2748c28489a0bc56aa1875448e992586783a8106be685ba86ba6a595d6eff866770c14ab003eb3");
inline const Bytes kIkServerHello = unhex(
    "1aa5020a207b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b141a8002bc2b0addb182d2"
    "d3cece70d6dc1f0dad8eb5a7cf2a7bd1aee68bb2e0b46840f2785337b94f10ebe5c9a4208e082d76895795dca19030"
    "f3ffc79d5a4a10e5fc2c8033f6dcb9e72927de0d5106c75fa8beee3c3a43e911bffd86ae65e7ccfb1939ad16e4cd00"
    "053b27d965fff90231393dcfc4b19353571c601624cf9d3e5f2f5eb251cd458ab7f3974f85bbc0caf60b79f05c8995"
    "758017702711c1c6cbb77ac96b97671572be6d536b4ab0bafc633d020234a98a32d2b8f3afe9eb1c8c07bfbabeeaef"
    "808f9bd2e88667d62f1346a1de2f11312c1b160c6a188156f6bb02c87cbaf87369764697830c2422f937255cf4c15e"
    "e60c3ecfb70b142086d59cecd242");
inline const TransportKeys kIkKeys = {
    key("4505bca89840e8353c7a507f67df28b4c37d8f0aa0648691aebe1a1db0fe49ca"),
    key("517eeb56b31270157a3f12a996f575481ecf63d4f4a4176fe8293184b056145b")};
inline const TransportKeys kFallbackKeys = {
    key("5c5562e36c4236a6f28a6a145763e97bb4fff55cbf9a29718cd3f6cbc17a0f43"),
    key("8a7a23d4cb5374e872eb0b4f4417b4abc0b143fd26a86fd1ac1840f01c88e83e")};

inline ClientIdentity client_identity() {
  return {kClientStatic, kPayload, kTestRoot.public_key, std::nullopt, xeddsa_verify};
}
inline ServerIdentity server_identity() { return {kServerStatic, kChain, true}; }
inline Bytes bytes_of(const Key32& k) { return {k.begin(), k.end()}; }

/// A frame's payload out of a message that holds the header and one frame, or one frame alone.
inline ByteView payload_of(const Bytes& message) {
  const bool has_header = message[0] == std::byte{'W'};
  return ByteView(message).subspan(has_header ? 7 : 3);
}

}  // namespace posthorn::wire::test
