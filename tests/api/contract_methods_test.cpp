#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "api/box.h"
#include "api/routes.h"
#include "support/vectors.h"

/// Every method of tests/api/contract/methods.json: asked with a request as stock clients send it,
/// answered as the contract says, and refused in its words.
namespace posthorn::api::test {
namespace {

const std::string kIda = "4915550007777@c.us";
const std::string kVera = "4915550009999@c.us";
const std::string kStaff = "120363000000000001@g.us";
const std::string kJpeg("\xFF\xD8\xFF\xE0\0\x10JFIF\0 and the picture", 27);

json::Value contract() { return posthorn::test::load_vectors("../api/contract/methods.json"); }

content::Text text(const std::string& body) { return {body, true, std::nullopt}; }

/// A linked box of a shop where something was said already.
struct Shop {
  Shop() : box(0) {
    box.keep_journal();
    box.keep_files();
    chat::Message said;
    said.id = "3EB0AA11BB22CC33DD44";
    said.chat = said.sender = kIda;
    said.sender_name = "Ida";
    said.timestamp = box.clock.now();
    said.content.what = text("Is the cake ready?");
    box.recorder->on_event(said);
    box.recorder->on_event(chat::Call{chat::Call::Status::declined, "4A1F00AA22BB44CC66DD", kIda,
                                      false, box.clock.now()});
    box.inbox.waiting[1048577] = R"({"typeWebhook":"stateInstanceChanged"})";
    box.link.listed = {{kIda, "Ida", "Ida K."}, {kStaff, "Staff", ""}};
    box.link.face->url = "https://pps.example/ida.jpg";
    box.link.known->chat = kIda;
    box.link.known->name = "Ida";
    box.link.known->contact = "Ida K.";
    box.link.known->picture = *box.link.face;
    box.link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", true, kIda}};
    box.link.group = staff();
    remember(kVera, "3EB0A1B2C3D4E5F60718", false);
    remember(kVera, "3EB0A1B2C3D4E5F60719", true);
    remember("status@broadcast", "3EB0A1B2C3D4E5F6071A", true);
    box.cabinet->web["https://shop.example/inv/118.jpg"] = kJpeg;
    box.cabinet->web["https://shop.example/hello.ogg"] =
        std::string("OggS\0\2", 6) + std::string(22, '\0') + "OpusHead and what was said";
    box.cabinet->web["https://shop.example/large.zip"] = "";
    content::File file;
    file.kind = content::File::Kind::image;
    file.mime = "image/jpeg";
    file.ref = store(kJpeg);
    box.cabinet->chat.messages[kIda + "/3EB0AA11BB22CC33DD44"] = file;
  }
  static chat::GroupData staff() {
    chat::GroupData data;
    data.chat = kStaff;
    data.owner = data.subject_owner = "4915550001234@c.us";
    data.subject = "Staff";
    data.creation = data.subject_time = 1'760'000'000;
    data.participants = {{data.owner, "", true, true}, {kIda, "", false, false}};
    data.invite_link = "https://chat.whatsapp.com/AbCd";
    data.size = 2;
    return data;
  }
  void remember(const std::string& chat, const std::string& id, bool from_me) {
    chat::EarlierMessage earlier;
    earlier.content.emplace().what = text("Order 118 is ready");
    earlier.from_me = from_me;
    if (from_me) earlier.sent_at = box.clock.now();
    box.link.earlier[chat + "/" + id] = std::move(earlier);
  }
  std::string store(const std::string& bytes) {
    auto writer = std::move(*box.cabinet->store->begin(bytes.size()));
    (void)writer->append(bytes);
    std::string ref;
    writer->finish([&ref](const Result<files::File>& file) { ref = file ? file->ref : ""; });
    for (int turn = 0; turn < 50; ++turn) box.scheduler.run_posted();
    return ref;
  }
  void unlink() {
    box.link.who = {};
    box.set_session(session::State::pairing);
  }

  Box box;
};

Verb verb_of(const json::Value& one) {
  const std::string name = one["verb"].asString();
  return name == "POST" ? Verb::post : name == "DELETE" ? Verb::del : Verb::get;
}

std::string form_of(const json::Value& fields) {
  std::string body;
  for (const std::string& name : fields.getMemberNames()) {
    const bool file = name == "file";
    body += "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"" +
            (file ? "; filename=\"C:\\tills\\receipt.jpg\"\r\nContent-Type: image/jpeg" : "") +
            "\r\n\r\n" + (file ? kJpeg : fields[name].asString()) + "\r\n";
  }
  return body + "--edge--\r\n";
}

/// asked: a row of the list, or one of its refusals.
std::shared_ptr<Answer> ask(Box& box, const json::Value& row, const json::Value& asked,
                            const std::string& name) {
  if (asked.isMember("form")) return box.post_form(name, form_of(asked["form"]), "edge");
  json::Value body = asked.isMember("long") ? asked["long"] : asked["body"];
  if (asked.isMember("long")) {
    body[asked["field"].asString()] = std::string(asked["length"].asUInt(), 'x');
  }
  const std::string behind = asked.isMember("behind") ? asked["behind"].asString() : "";
  Request request =
      Box::request(verb_of(row), Box::path(name) + behind, body.isNull() ? "" : json::write(body));
  for (const std::string& key : asked["query"].getMemberNames()) {
    request.query.emplace_back(key, asked["query"][key].asString());
  }
  return box.send(std::move(request));
}

bool is_id(const std::string& text) {
  return text.size() >= 16 && text.find_first_not_of("0123456789ABCDEF") == std::string::npos;
}

void expect_like(const json::Value& answer, const json::Value& wanted, bool more,
                 const std::string& where);

void expect_members(const json::Value& answer, const json::Value& wanted, bool more,
                    const std::string& where) {
  ASSERT_TRUE(answer.isObject()) << where << ": " << json::write(answer);
  std::set<std::string> known;
  for (const std::string& marked : wanted.getMemberNames()) {
    const bool optional = marked.starts_with('?');
    const std::string name = optional ? marked.substr(1) : marked;
    known.insert(name);
    if (optional && !answer.isMember(name)) continue;
    ASSERT_TRUE(answer.isMember(name)) << where << "." << name << ": " << json::write(answer);
    expect_like(answer[name], wanted[marked], false, where + "." + name);
  }
  for (const std::string& name : answer.getMemberNames()) {
    EXPECT_TRUE(more || known.contains(name)) << where << "." << name << " is not documented";
  }
}

void expect_like(const json::Value& answer, const json::Value& wanted, bool more,
                 const std::string& where) {
  if (wanted.isObject()) return expect_members(answer, wanted, more, where);
  if (wanted.isArray()) {
    ASSERT_TRUE(answer.isArray()) << where << ": " << json::write(answer);
    ASSERT_EQ(answer.size(), wanted.size()) << where << ": " << json::write(answer);
    for (json::Value::ArrayIndex i = 0; i < wanted.size(); ++i) {
      expect_like(answer[i], wanted[i], more, where + "[" + std::to_string(i) + "]");
    }
    return;
  }
  const std::string mark = wanted.isString() ? wanted.asString() : "";
  if (mark == "<id>") {
    EXPECT_TRUE(answer.isString() && is_id(answer.asString())) << where << json::write(answer);
  } else if (mark == "<url>") {
    EXPECT_TRUE(answer.isString() && answer.asString().starts_with("http://box.lan/files/"))
        << where << json::write(answer);
  } else if (mark == "<text>") {
    EXPECT_TRUE(answer.isString()) << where << json::write(answer);
  } else if (mark == "<int>") {
    EXPECT_TRUE(answer.isIntegral()) << where << json::write(answer);
  } else {
    EXPECT_EQ(json::write(answer), json::write(wanted)) << where;
  }
}

/// The form of the contract's section 3.1.
void expect_refusal(const Answer& answer, int status, const std::string& message,
                    const std::string& where) {
  EXPECT_EQ(answer.status(), status) << where << ": " << answer.text();
  const json::Value body = answer.json();
  EXPECT_EQ(body["statusCode"], status) << where << answer.text();
  EXPECT_TRUE(body["timestamp"].isString()) << where;
  EXPECT_TRUE(body["path"].isString()) << where;
  EXPECT_FALSE(answer.message().empty()) << where;
  if (!message.empty()) {
    // The box may say more behind it.
    EXPECT_TRUE(answer.message() == message || answer.message().starts_with(message + ": "))
        << where << ": " << answer.message();
  }
}

void expect_answer(const json::Value& row, const std::string& name) {
  Shop shop;
  if (row.isMember("account") && !row["account"].asBool()) shop.unlink();
  const auto answer = ask(shop.box, row, row, name);
  const std::string method = row["method"].asString();
  if (row.isMember("status")) {
    return expect_refusal(*answer, row["status"].asInt(), "", name);
  }
  ASSERT_EQ(answer->status(), 200) << name << ": " << answer->text();
  if (row.isMember("empty")) {
    EXPECT_EQ(answer->text(), "") << name;
    return;
  }
  EXPECT_EQ(answer->response->content_type, "application/json; charset=utf-8") << name;
  expect_like(answer->json(), row["answer"], row.isMember("more keys"), method);
}

TEST(ContractMethods, AnswerAsDocumentedHoweverTheirNameIsWritten) {
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) {
    const std::string name = row["method"].asString();
    expect_answer(row, name);
    std::string pascal = name;
    pascal[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(pascal[0])));
    expect_answer(row, pascal);
  }
}

TEST(ContractMethods, RefuseInTheContractsWords) {
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) {
    const std::string name = row["method"].asString();
    for (const json::Value& refused : row["refused"]) {
      Shop shop;
      const auto answer = ask(shop.box, row, refused, name);
      const std::string asked = name + " " + json::write(refused).substr(0, 200);
      expect_refusal(*answer, refused["status"].asInt(), refused["message"].asString(), asked);
    }
  }
}

TEST(ContractMethods, NameTheFieldThatIsMissing) {
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) {
    for (const json::Value& field : row["required"]) {
      Shop shop;
      json::Value asked(::Json::objectValue);
      asked["body"] = row["body"];
      asked["body"].removeMember(field.asString());
      const auto answer = ask(shop.box, row, asked, row["method"].asString());
      expect_refusal(*answer, 400,
                     "Validation failed. Details: '" + field.asString() + "' is required",
                     row["method"].asString());
    }
  }
}

TEST(ContractMethods, NeedAnAccountWhereTheyAskWhatsApp) {
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) {
    if (!row.isMember("live")) continue;
    const std::string name = row["method"].asString();
    Shop shop;
    shop.unlink();
    expect_refusal(*ask(shop.box, row, row, name), 400, "instance account not authorized", name);
    Shop starts;
    starts.box.set_session(session::State::connecting);
    starts.box.scheduler.advance(minutes(2));
    expect_refusal(*ask(starts.box, row, row, name), 400, "instance in starting process try later",
                   name);
  }
}

TEST(ContractMethods, AreNotFoundWithAnotherVerb) {
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) {
    const std::string name = row["method"].asString();
    if (name == "getContactInfo") continue;  // has both
    Shop shop;
    const Verb other = verb_of(row) == Verb::post ? Verb::get : Verb::post;
    expect_refusal(*shop.box.call(other, name, "{}"), 404, "Not Found", name);
  }
}

TEST(ContractMethods, AreAllInTheList) {
  std::set<std::string> listed;
  const json::Value list = contract();
  for (const json::Value& row : list["methods"]) listed.insert(row["method"].asString());
  for (const std::string& name : list["elsewhere"].getMemberNames()) listed.insert(name);
  // Posthorn's own.
  for (const char* own : {"getPasskey", "sendPasskeyResponse", "confirmPasskey", "sendReaction",
                          "requestChatHistory"}) {
    listed.insert(own);
  }
  for (const BuiltInRoute& route : built_in_routes()) {
    EXPECT_TRUE(listed.contains(std::string(route.name))) << route.name;
  }
}

TEST(ContractMethods, OfPartnersAreForbiddenInWords) {
  Box box(0);
  for (const auto& [verb, name] :
       {std::pair(Verb::get, "getInstances"), std::pair(Verb::post, "createInstance"),
        std::pair(Verb::post, "deleteInstanceAccount")}) {
    const auto answer =
        box.send(Box::request(verb, std::string("/partner/") + name + "/" + kToken, "{}"));
    expect_refusal(*answer, 403, "", name);
    EXPECT_GT(answer->message().size(), 20U) << name;
  }
}

}  // namespace
}  // namespace posthorn::api::test
