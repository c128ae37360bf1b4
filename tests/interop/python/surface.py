"""Every method of whatsapp-api-client-python against the box; only the host is changed.

surface.py HOST ID TOKEN CUSTOMER MEMBER: prints, as one line of JSON, what each call gave. Two customers: one is written
to, the other comes into a group. Ends with an error at the first answer that is not 200, unless it is to be refused.
"""
import asyncio
import base64
import json
import sys
import tempfile
import time

from whatsapp_api_client_python.API import GreenAPI, GreenAPIError, GreenApiPartner

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/"
    "yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)

host, number, token, customer, member = sys.argv[1:6]
chat, friend = f"{customer}@c.us", f"{member}@c.us"
api = GreenAPI(number, token, raise_errors=True, host=host, media=host)
given = {}


def took(name, response):
    assert response.code == 200, (name, response.code, response.error)
    given[name] = response.data
    return response.data


def refused(name, status, call):
    try:
        answer = call()
    except GreenAPIError as error:
        given[name] = str(error)
        assert f"status code: {status}" in str(error), (name, str(error))
        return
    raise AssertionError((name, "was not refused", answer.code, answer.data))


def until(what, ready, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not in time: {what}")


def file(name, content):
    path = f"{tempfile.mkdtemp()}/{name}"
    with open(path, "wb") as out:
        out.write(content)
    return path


def account():
    took("getSettings", api.account.getSettings())
    took("setSettings", api.account.setSettings({"incomingWebhook": "yes", "outgoingAPIMessageWebhook": "yes"}))
    took("getStateInstance", api.account.getStateInstance())
    took("getStatusInstance", api.account.getStatusInstance())
    took("getWaSettings", api.account.getWaSettings())
    took("getStateInstanceHistory", api.account.getStateInstanceHistory(10))
    took("qr", api.account.qr())
    took("setProfilePicture", api.account.setProfilePicture(file("me.jpg", JPEG)))
    took("getDeviceInfo", api.device.getDeviceInfo())
    refused("getAuthorizationCode", 400, lambda: api.account.getAuthorizationCode(int(customer)))


def sending():
    took("sendMessage", api.sending.sendMessage(chat, "Order 118 is ready"))
    first = given["sendMessage"]["idMessage"]
    took("quoted", api.sending.sendMessage(chat, "It is on the counter", quotedMessageId=first, archiveChat=False, linkPreview=False))
    pdf = file("invoice 118.pdf", b"%PDF-1.7\n" + b"x" * 5000)
    took("sendFileByUpload", api.sending.sendFileByUpload(chat, pdf, "invoice 118.pdf", "Your invoice"))
    took("uploadFile", api.sending.uploadFile(file("menu.pdf", b"%PDF-1.7\n" + b"y" * 3000)))
    took("sendFileByUrl", api.sending.sendFileByUrl(chat, given["uploadFile"]["urlFile"], "menu.pdf", "Our menu"))
    took("sendLocation", api.sending.sendLocation(chat, 52.5208, 13.4094, "Shop", "Alexanderplatz 1"))
    took("sendContact", api.sending.sendContact(chat, {"phoneContact": 4915550009999, "firstName": "Vera"}))
    took("sendLink", api.sending.sendLink(chat, "https://shop.example/menu"))
    took("sendPoll", api.sending.sendPoll(chat, "Pick a day", [{"optionName": "Mon"}, {"optionName": "Tue"}], False))
    buttons = [{"type": "url", "buttonId": "1", "buttonText": "Map", "url": "https://shop.example/map"}]
    took("sendInteractiveButtons", api.sending.sendInteractiveButtons(chat, "Ready for pick-up", buttons, "Order 118", "Bakery"))
    replies = [{"buttonId": "y", "buttonText": "Yes"}, {"buttonId": "n", "buttonText": "No"}]
    took("sendInteractiveButtonsReply", api.sending.sendInteractiveButtonsReply(chat, "Come today?", replies, "Order 118", "Bakery"))
    refused("sendButtons", 403, lambda: api.sending.sendButtons(chat, "Choose", [{"buttonId": "1", "buttonText": "One"}]))
    refused("sendTemplateButtons", 403, lambda: api.sending.sendTemplateButtons(chat, "Choose", []))
    refused("sendListMessage", 403, lambda: api.sending.sendListMessage(chat, "Choose", "Here", []))
    until("the queue is empty", lambda: took("showMessagesQueue", api.queues.showMessagesQueue()) == [])
    took("forwardMessages", api.sending.forwardMessages(friend, chat, [first]))
    took("editMessage", api.serviceMethods.editMessage(chat, first, "Order 118 is ready now"))
    took("deleteMessage", api.serviceMethods.deleteMessage(chat, given["quoted"]["idMessage"]))
    until("it is sent", lambda: api.queues.showMessagesQueue().data == [])
    took("downloadFile", api.receiving.downloadFile(chat, given["sendFileByUpload"]["idMessage"]))


def service():
    took("checkWhatsapp", api.serviceMethods.checkWhatsapp(phoneNumber=int(customer)))
    took("getAvatar", api.serviceMethods.getAvatar(chat))
    took("getContacts", api.serviceMethods.getContacts())
    took("getContactInfo", api.serviceMethods.getContactInfo(chat))
    took("archiveChat", api.serviceMethods.archiveChat(chat))
    took("unarchiveChat", api.serviceMethods.unarchiveChat(chat))
    took("sendTyping", api.serviceMethods.sendTyping(chat, 1000))
    took("getChats", api.serviceMethods.getChats(5))
    took("readChat", api.marking.readChat(chat))
    took("addContact", api.contacts.addContact(chat, "Ida", "K."))
    took("editContact", api.contacts.editContact(chat, "Ida", "L."))
    took("deleteContact", api.contacts.deleteContact(chat))


def groups():
    took("createGroup", api.groups.createGroup("Bakers", [chat]))
    group = given["createGroup"]["chatId"]
    took("getGroupData", api.groups.getGroupData(group))
    took("updateGroupName", api.groups.updateGroupName(group, "All bakers"))
    took("updateGroupSettings", api.groups.updateGroupSettings(group, True, False))
    took("addGroupParticipant", api.groups.addGroupParticipant(group, friend))
    took("setGroupAdmin", api.groups.setGroupAdmin(group, friend))
    took("removeAdmin", api.groups.removeAdmin(group, friend))
    took("removeGroupParticipant", api.groups.removeGroupParticipant(group, friend))
    took("setGroupPicture", api.groups.setGroupPicture(group, file("group.jpg", JPEG)))
    took("leaveGroup", api.groups.leaveGroup(group))


def journals():
    took("getChatHistory", api.journals.getChatHistory(chat, 50))
    took("getMessage", api.journals.getMessage(chat, given["sendMessage"]["idMessage"]))
    took("lastIncomingMessages", api.journals.lastIncomingMessages(60))
    took("lastOutgoingMessages", api.journals.lastOutgoingMessages())
    took("lastIncomingCalls", api.journals.lastIncomingCalls(60))
    took("lastOutgoingCalls", api.journals.lastOutgoingCalls())
    took("getIncomingStatuses", api.statuses.getIncomingStatuses(60))
    took("getOutgoingStatuses", api.statuses.getOutgoingStatuses())


async def asynchronously():
    """GET with a JSON body, DELETE with a number as its body: what only these calls do."""
    answer = took("lastOutgoingMessagesAsync", await api.journals.lastOutgoingMessagesAsync(60))
    assert answer, "of the last hour"
    took("getSettingsAsync", await api.account.getSettingsAsync())
    took("sendMessageAsync", await api.sending.sendMessageAsync(chat, "And asynchronously"))


def queues():
    until("notifications", lambda: took("getWebhooksCount", api.queues.getWebhooksCount())["count"] > 0)
    took("getMessagesCount", api.queues.getMessagesCount())
    first = took("receiveNotification", api.receiving.receiveNotification(5))
    took("deleteNotification", api.receiving.deleteNotification(first["receiptId"]))
    took("clearMessagesQueue", api.queues.clearMessagesQueue())
    took("clearWebhooksQueue", api.queues.clearWebhooksQueue())


def partner():
    boss = GreenApiPartner("0" * 50, host=host)
    answer = boss.partner.getInstances()
    assert answer.code == 403, (answer.code, answer.error)
    given["getInstances"] = str(answer.error or answer.data)


def token_and_end():
    global api
    fresh = took("updateApiToken", api.account.updateApiToken())["apiTokenInstance"]
    refused("the old token", 401, lambda: api.account.getStateInstance())
    api = GreenAPI(number, fresh, raise_errors=True, host=host, media=host)
    took("reboot", api.account.reboot())
    until("authorized again", lambda: api.account.getStateInstance().data["stateInstance"] == "authorized")
    took("logout", api.account.logout())


account()
sending()
service()
groups()
journals()
asyncio.run(asynchronously())
queues()
partner()
token_and_end()
print(json.dumps(given))
