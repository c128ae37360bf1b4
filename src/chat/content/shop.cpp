#include "chat/content/kinds.h"

// orderMessage, productMessage (chapter 07 section 7): only businesses' apps send them.
namespace posthorn::chat {

bool read(const wa::Message& message, content::Order& kind, Beside&) {
  if (!message.has_ordermessage()) return false;
  const auto& order = message.ordermessage();
  kind.id = order.orderid();
  kind.title = order.ordertitle();
  kind.message = order.message();
  kind.currency = order.totalcurrencycode();
  kind.items = order.itemcount();
  kind.total_1000 = order.totalamount1000();
  return true;
}

Result<wa::Message> write(const content::Order&, const Outgoing&) {
  return fail(Errc::unsupported, "orders only come in");
}

bool read(const wa::Message& message, content::Product& kind, Beside&) {
  if (!message.has_productmessage()) return false;
  const auto& product = message.productmessage().product();
  kind.id = product.productid();
  kind.title = product.title();
  kind.description = product.description();
  kind.url = product.url();
  kind.currency = product.currencycode();
  kind.price_1000 = product.priceamount1000();
  kind.body = message.productmessage().body();
  return true;
}

Result<wa::Message> write(const content::Product&, const Outgoing&) {
  return fail(Errc::unsupported, "products only come in");
}

}  // namespace posthorn::chat
