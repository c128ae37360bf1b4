#!/usr/bin/env python3
"""A till by python-escpos: prints a receipt to HOST PORT and writes the very bytes to stdout.

escpos_till.py HOST PORT [--ask]: --ask asks the printer first whether it is online and has paper.
"""
import contextlib
import sys

from escpos.printer import Dummy, Network

LINES = {
    "CP437": "Café Tee 2,40",
    "CP850": "Grüße Übung",
    "CP852": "Žluťoučký kůň",
    "CP858": "Käse 3,00 €",
    "CP866": "Чек Спасибо",
    "CP1251": "Сумма ЙЦУКЕН",
    "CP1252": "Crème brûlée œ",
    "CP1253": "Ευχαριστώ",
    "CP1254": "Teşekkürler ğ",
    "CP1257": "Ačiū Žąsis",
}


def receipt(printer):
    printer.set(align="center", bold=True, double_height=True, double_width=True)
    printer.text("Shop\n")
    printer.set(align="left", bold=False, normal_textsize=True)
    for page, line in LINES.items():
        printer.charcode(page)
        printer.text(line + "\n")
    printer.charcode("CP437")
    printer.text("TOTAL 23.40\n")
    printer.barcode("4006381333931", "EAN13", 64, 2, "", "")
    printer.qr("https://example.com/r/118", native=True)
    printer.cashdraw(2)
    printer.cut()


host, port = sys.argv[1], int(sys.argv[2])
with_profile = {"profile": "default"}
copy = Dummy(**with_profile)
with contextlib.redirect_stdout(sys.stderr):  # the library tells things there
    till = Network(host, port=port, timeout=10, **with_profile)
    if "--ask" in sys.argv:
        print(f"online {till.is_online()} paper {till.paper_status()}")
    receipt(till)
    till.close()
    receipt(copy)
sys.stdout.buffer.write(copy.output)
