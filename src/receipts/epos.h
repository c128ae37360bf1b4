#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::receipts {

/// What an ePOS-Print request (SOAP 1.1 around <epos-print>) prints, as ESC/POS for an Epson-like
/// printer. Letters beyond ASCII choose their code page. Elements that are not known are skipped.
/// Errors: malformed (no such document, a picture that is none, deeper than 32 levels), unsupported
/// (more than Tap::kMostRaw). Source: Epson's ePOS-Print XML manual; requests of Odoo and web tills
/// as the research describes them, Nov 2026.
[[nodiscard]] Result<Bytes> decode_epos(std::string_view xml);

/// The answer that such a client reads. code: "" or "EX_TIMEOUT", "SchemaError", "DeviceNotFound",
/// …
[[nodiscard]] std::string epos_answer(bool success, std::string_view code);

/// UTF-8 as an Epson-like printer prints it: ESC t in front of letters of another code page, '?'
/// for those of none. page: the number in force, changed by what is written.
void append_for_printer(Bytes& out, std::string_view utf8, int& page);

}  // namespace posthorn::receipts
