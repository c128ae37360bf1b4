#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/time.h"

namespace posthorn::receipts {

/// One printer: [printer.NAME] of posthorn.toml.
struct PrinterSettings {
  enum class Qr : std::uint8_t {
    off,
    native,  ///< in the printer's own command
    raster,  ///< as dots, for printers that make no QR codes
  };
  std::string name;                ///< "1", "kitchen"
  std::string host;                ///< of the printer; empty: none, the box answers itself
  std::uint16_t port = 9100;       ///< of the printer
  bool receipts = true;            ///< what it prints is kept as receipts
  std::uint16_t width = 80;        ///< of the paper: 80 or 58 mm
  std::string language = "auto";   ///< "auto", "escpos" or "star"
  std::string code_page = "auto";  ///< "auto" or a name of code_page_names()
  Qr qr = Qr::off;
  bool epos = false;  ///< ePOS-Print XML is taken for it
};

/// How a customer gets a receipt.
enum class Form : std::uint8_t { png, pdf, text };

/// [receipts] of posthorn.toml.
struct Settings {
  std::string shop;  ///< its name, in captions and above the QR code
  Form form = Form::png;
  minutes keep{10};      ///< a receipt that nobody wants is gone after that
  hours token_life{48};  ///< the same of one whose QR code was printed
  hours sent_life{25};   ///< the same of one that was sent
  /// {shop}, {total}, {number}, {date} stand for what they name; a line whose names are all empty
  /// is left out.
  std::string caption = "{shop}\nReceipt {number} · {total}";
  std::string unknown = "This receipt is not known here any more. Please ask at the till.";
  /// To whoever scans a second receipt with the same customer's number on it; empty: nobody is
  /// asked.
  std::string regular_question = "Reply YES and your receipts come by themselves from now on.";
  std::string regular_word = "YES";
  std::string regular_thanks = "Thank you. Your next receipt comes by itself.";
  std::string above_qr = "Your receipt on WhatsApp:";
  std::string below_qr = "scan and send {token}";
  /// Beginnings of lines with which the till's template names the customer's number.
  std::vector<std::string> tags = {"WA:", "WhatsApp:"};
  /// Words in front of a customer's number in the shop's own list.
  std::vector<std::string> customer_words = {"Kunde", "Kundennr", "Customer", "Cliente", "Client"};
  std::string country;         ///< digits in front of national numbers: "49"; empty: none
  bool phone_pattern = false;  ///< any number that looks like a phone's, outside of head and foot
};

}  // namespace posthorn::receipts
