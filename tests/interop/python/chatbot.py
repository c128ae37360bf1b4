"""A chat bot as Green-API's guide has it, with whatsapp-chatbot-python; only the host is changed.

chatbot.py HOST ID TOKEN: takes orders, one cake after the other, until it is killed. Says "ready" when it listens.
"""
import sys

from whatsapp_chatbot_python import BaseStates, GreenAPIBot, Notification


class States(BaseStates):
    CAKE = "cake"
    PIECES = "pieces"


host, number, token = sys.argv[1:4]
bot = GreenAPIBot(number, token, host=host, media=host)


@bot.router.message(text_message="order")
def on_order(notification: Notification) -> None:
    notification.state_manager.update_state(notification.sender, States.CAKE)
    notification.answer("Which cake?")


@bot.router.message(state=States.CAKE)
def on_cake(notification: Notification) -> None:
    notification.state_manager.update_state(notification.sender, States.PIECES)
    notification.state_manager.update_state_data(notification.sender, {"cake": notification.message_text})
    notification.answer("How many pieces?")


@bot.router.message(state=States.PIECES)
def on_pieces(notification: Notification) -> None:
    cake = notification.state_manager.get_state_data(notification.sender)["cake"]
    notification.state_manager.delete_state(notification.sender)
    notification.answer(f"{notification.message_text} of {cake}, thank you")


print("ready", flush=True)
bot.run_forever()
