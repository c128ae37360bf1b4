#include "api/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "api/box.h"
#include "api/not_here.h"
#include "api/routes.h"

namespace posthorn::api::test {
namespace {

const char* verb_name(Verb verb) {
  switch (verb) {
    case Verb::post:
      return "post";
    case Verb::del:
      return "delete";
    default:
      return "get";
  }
}

/// "get getSettings" for every operation of the file.
std::set<std::string> described() {
  std::set<std::string> out;
  const auto file = json::parse(openapi());
  EXPECT_TRUE(file) << to_string(file.error());
  const json::Value& paths = json::at(*file, "paths");
  for (const std::string& path : paths.getMemberNames()) {
    for (const std::string& verb : paths[path].getMemberNames()) {
      if (verb == "parameters") continue;
      const std::string name = json::string_at(paths[path][verb], "operationId").value_or("");
      EXPECT_NE(path.find("/" + name + "/"), std::string::npos) << path;
      EXPECT_TRUE(out.insert(verb + " " + name).second) << name;
    }
  }
  return out;
}

TEST(OpenApi, NamesEveryMethodThatIsThereAndNoOther) {
  std::set<std::string> there;
  for (const BuiltInRoute& route : built_in_routes()) {
    there.insert(std::string(verb_name(route.verb)) + " " + std::string(route.name));
  }
  for (const NotHere& method : methods_not_here()) {
    there.insert(std::string(verb_name(method.verb)) + " " + std::string(method.name));
  }
  // Of the modules that bring their own.
  for (const char* more :
       {"post sendFileByUpload", "post sendFileByUrl", "post uploadFile", "post downloadFile",
        "post sendVoiceStatus", "post sendMediaStatus", "post sendTemplate", "get getTemplates",
        "post getTemplateById", "get updateApiToken", "get getInstances", "post createInstance",
        "post deleteInstanceAccount"}) {
    there.insert(more);
  }
  // What the page does; tests/page holds these against its source and against a running box.
  for (const char* more : {"get getActivity",
                           "get getThrottleStatus",
                           "get getThrottleAudit",
                           "post acknowledgeThrottle",
                           "post addThrottleOverride",
                           "post endThrottleOverride",
                           "post pauseSending",
                           "post resumeSending",
                           "get getThrottleSettings",
                           "post setThrottleSettings",
                           "post canSend",
                           "post declareNumberInUse",
                           "post importRegulars",
                           "get getOptOuts",
                           "post addOptOut",
                           "post removeOptOut",
                           "get getWebhookStatus",
                           "get watchEvents",
                           "get getBoardStatus",
                           "get getUpdateStatus",
                           "post uploadUpdate",
                           "post installUpdate",
                           "post resetBox",
                           "post restartBox",
                           "post makeBackup",
                           "get readBackup",
                           "post uploadBackup",
                           "post restoreBackup",
                           "get getSupportBundle",
                           "get getLog",
                           "get getAccess",
                           "get getNetwork",
                           "post changeNetwork",
                           "post confirmNetwork",
                           "post reportFleet",
                           "get getFleet",
                           "post enrolFleet",
                           "post leaveFleet",
                           "get getCloudStatus",
                           "get getCloudSettings",
                           "post setCloudSettings",
                           "get getReceiptPrinters",
                           "get getOfficialStatus",
                           "post testOfficial",
                           "post resumeOfficial",
                           "post testWebhook"}) {
    there.insert(more);
  }
  const std::set<std::string> file = described();
  for (const std::string& method : there) {
    EXPECT_TRUE(file.contains(method)) << method << " is not in openapi.json.in";
  }
  for (const std::string& method : file) {
    EXPECT_TRUE(there.contains(method)) << method << " is in openapi.json.in and nowhere else";
  }
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  const std::string text(openapi());
  const auto file = json::parse(text);
  ASSERT_TRUE(file);
  std::size_t found = 0;
  for (std::size_t at = text.find("\"$ref\": \"#/"); at != std::string::npos;
       at = text.find("\"$ref\": \"#/", at + 1)) {
    const std::size_t begin = at + 11;
    std::string rest = text.substr(begin, text.find('"', begin) - begin);
    const json::Value* place = &*file;
    while (!rest.empty()) {
      const std::size_t slash = rest.find('/');
      const std::string part = rest.substr(0, slash);
      place = &json::at(*place, part.c_str());
      rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    }
    EXPECT_TRUE(place->isObject()) << text.substr(at, 80);
    ++found;
  }
  EXPECT_GT(found, 100U);
}

TEST(OpenApi, IsServedToEverybody) {
  Box box(0);
  const auto answer = box.send(Box::request(Verb::get, "/openapi.json"));
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(json::string_at(answer->json(), "openapi"), "3.1.0");
  EXPECT_EQ(json::string_at(json::at(answer->json(), "info"), "title"), "Posthorn");
}

}  // namespace
}  // namespace posthorn::api::test
