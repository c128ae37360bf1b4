#!/usr/bin/env python3
"""Python clients of the official Cloud API against the box, unchanged but for the base URL.

run.py URL TOKEN PHONE_NUMBER_ID WABA_ID CUSTOMER WEBHOOKS.json: prints "all N probes passed" or ends with the fault.
WEBHOOKS.json: {"secret", "bodies": [base64], "signatures": [hex]}, what the box has posted so far.
"""
import asyncio
import base64
import json
import sys

import httpx
import kapso_whatsapp
from kapso_whatsapp.exceptions import WhatsAppAPIError
from kapso_whatsapp.webhooks import verify_signature
from pywa import WhatsApp, errors, types, utils

URL, TOKEN, NUMBER, BUSINESS, CUSTOMER, WEBHOOKS = sys.argv[1:]
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
probes = 0


def probe(what, holds):
    global probes
    if not holds:
        sys.exit(f"does not hold: {what}")
    probes += 1


async def kapso():
    async with kapso_whatsapp.WhatsAppClient(access_token=TOKEN, base_url=URL, max_retries=0) as client:
        to = {"phone_number_id": NUMBER, "to": CUSTOMER}
        say = client.messages
        sent = await say.send_text(**to, body="hello from kapso", biz_opaque_callback_data="k1")
        probe("kapso text", sent.messages[0].id.startswith("wamid."))
        upload = await client.media.upload(phone_number_id=NUMBER, file=PDF, type="application/pdf", filename="a.pdf")
        got = await client.media.get(media_id=upload.id)
        probe("kapso media", got.mime_type == "application/pdf" and int(got.file_size) == len(PDF))
        back = await client.fetch(got.url)
        probe("kapso download", back.content == PDF)
        answers = {
            "document": await say.send_document(**to, document={"id": upload.id, "filename": "a.pdf", "caption": "c"}),
            "location": await say.send_location(**to, location={"latitude": 52.5, "longitude": 13.25, "name": "Shop"}),
            "contacts": await say.send_contacts(**to, contacts=[{"name": {"formattedName": "Ida B", "firstName": "Ida"}, "phones": [{"phone": "+4915550007778", "type": "CELL"}]}]),
            "buttons": await say.send_interactive_buttons(**to, body_text="kapso?", buttons=[{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}]),
            "list": await say.send_interactive_list(**to, body_text="kapso list", button_text="Menu", sections=[{"title": "S", "rows": [{"id": "1", "title": "One"}, {"id": "2", "title": "Two", "description": "2"}]}]),
            "link": await say.send_interactive_cta_url(**to, body_text="kapso pay", parameters={"display_text": "Pay", "url": "https://shop.example/1"}),
            "image by link": await say.send_image(**to, image={"link": "http://127.0.0.1:9/a.png"}),
        }
        for kind, answer in answers.items():
            probe(f"kapso {kind}", answer.messages[0].id.startswith("wamid."))
        made = await client.templates.create(business_account_id=BUSINESS, name="kapso", language="en_US", category="UTILITY", components=[{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Ida"]]}}])
        probe("kapso template made", made["status"] == "APPROVED")
        used = await say.send_template(**to, template={"name": "kapso", "language": "en_US", "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ida"}]}]})
        probe("kapso template sent", used.messages[0].id.startswith("wamid."))
        listed = await client.templates.list(business_account_id=BUSINESS, name="kapso")
        probe("kapso templates listed", [one["name"] for one in listed["data"]] == ["kapso"])
        probe("kapso template deleted", (await client.templates.delete(business_account_id=BUSINESS, name="kapso"))["success"])
        probe("kapso media deleted", (await client.media.delete(media_id=upload.id))["success"])
        try:
            await say.send_text(phone_number_id=NUMBER, to="12", body="x")
            probe("kapso error", False)
        except WhatsAppAPIError as error:
            probe("kapso error", error.status_code == 400)


class ToTheBox(httpx.HTTPTransport):
    """pywa has its host built in; the request itself stays as it made it."""

    def handle_request(self, request):
        box = httpx.URL(URL)
        if request.url.host == "graph.facebook.com":
            request.url = request.url.copy_with(scheme=box.scheme, host=box.host, port=box.port)
            request.headers["Host"] = f"{box.host}:{box.port}"
        return super().handle_request(request)


def pywa():
    whatsapp = WhatsApp(phone_id=NUMBER, token=TOKEN, waba_id=BUSINESS, session=httpx.Client(transport=ToTheBox(), timeout=30))
    sent = whatsapp.send_message(to=CUSTOMER, text="hello from pywa", tracker="p1")
    probe("pywa text", sent.id.startswith("wamid."))
    buttons = whatsapp.send_message(to=CUSTOMER, text="pywa?", header="H", footer="F", buttons=[types.Button("Yes", "y"), types.Button("No", "n")])
    probe("pywa buttons", buttons.id.startswith("wamid."))
    rows = [types.SectionRow("One", callback_data="1"), types.SectionRow("Two", callback_data="2", description="d")]
    listed = whatsapp.send_message(to=CUSTOMER, text="pywa list", buttons=types.SectionList("Menu", [types.Section("S", rows)]))
    probe("pywa list", listed.id.startswith("wamid."))
    media = whatsapp.upload_media(media=PDF, mime_type="application/pdf", filename="a.pdf")
    probe("pywa upload", str(media.id).isdigit())
    url = whatsapp.get_media_url(media.id)
    probe("pywa media", url.mime_type == "application/pdf" and int(url.file_size) == len(PDF))
    probe("pywa download", whatsapp.get_media_bytes(url.url) == PDF)
    document = whatsapp.send_document(to=CUSTOMER, document=media.id, filename="a.pdf", caption="c")
    probe("pywa document", document.id.startswith("wamid."))
    probe("pywa location", whatsapp.send_location(to=CUSTOMER, latitude=52.5, longitude=13.25, name="Shop", address="A").id.startswith("wamid."))
    card = types.Contact(name=types.Contact.Name(formatted_name="Ida B", first_name="Ida"), phones=[types.Contact.Phone(phone="+4915550007778")])
    probe("pywa contact", whatsapp.send_contact(to=CUSTOMER, contact=card).id.startswith("wamid."))
    number = whatsapp.get_business_phone_number()
    probe("pywa number", number.id == NUMBER and number.quality_rating is not None)
    whatsapp.get_business_profile()
    probe("pywa profile", True)
    templates = whatsapp.get_templates()
    probe("pywa templates", len(list(templates)) >= 1)
    for what, call, wanted in (
        ("bad media id", lambda: whatsapp.get_media_url("1234567890123456"), errors.WhatsAppError),
        ("reaction to nothing", lambda: whatsapp.send_reaction(to=CUSTOMER, emoji="👍", message_id=f"{sent.id[:-4]}AAAA"), errors.WhatsAppError),
    ):
        try:
            call()
            probe(f"pywa {what}", False)
        except wanted as error:
            probe(f"pywa {what}", error.code in (100, 131009))


def webhooks():
    with open(WEBHOOKS) as file:
        kept = json.load(file)
    whatsapp = WhatsApp(phone_id=NUMBER, token=TOKEN, waba_id=BUSINESS, server=None)
    for body, signature in zip(kept["bodies"], kept["signatures"]):
        raw = base64.b64decode(body)
        good = verify_signature(app_secret=kept["secret"], raw_body=raw, signature_header=f"sha256={signature}")
        probe("kapso's verifier", good)
        flipped = bytes([raw[0] ^ 1]) + raw[1:]
        probe("kapso's verifier, one bit", not verify_signature(app_secret=kept["secret"], raw_body=flipped, signature_header=f"sha256={signature}"))
        if hasattr(utils, "webhook_updates_validator"):
            probe("pywa's verifier", utils.webhook_updates_validator(kept["secret"], raw, f"sha256={signature}"))
        value = json.loads(raw)
        change = value["entry"][0]["changes"][0]["value"]
        if "messages" in change and change["messages"][0]["type"] == "text":
            update = types.Message.from_update(client=whatsapp, update=value)
            probe("pywa parses a message", update.text == change["messages"][0]["text"]["body"])
        if "statuses" in change:
            update = types.MessageStatus.from_update(client=whatsapp, update=value)
            probe("pywa parses a status", update.status.value == change["statuses"][0]["status"])


asyncio.run(kapso())
pywa()
webhooks()
print(f"all {probes} probes passed")
