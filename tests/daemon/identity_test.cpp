#include "daemon/identity.h"

#include <gtest/gtest.h>

#include "daemon/access.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

class IdentityOfABox : public testing::Test {
 protected:
  Access load() {
    Identity identity(blobs, folder.at("identity"));
    auto access = load_access(identity, {}, random);
    EXPECT_TRUE(access.has_value());
    return access ? *access : Access{};
  }

  const test::Folder folder;
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  test::SeededRandom random;
};

TEST_F(IdentityOfABox, OutlivesItsDatabase) {
  const Access first = load();
  EXPECT_TRUE(first.fresh);
  for (const char* damaged : {"(none)", "", "{", "{\"id\":710"}) {
    blobs.values.clear();
    if (std::string_view(damaged) != "(none)") {
      blobs.values[std::string(kAccessBlob)] = to_bytes(damaged);
    }
    const Access again = load();
    EXPECT_EQ(again.id_instance, first.id_instance) << damaged;
    EXPECT_EQ(again.token, first.token) << damaged;
    EXPECT_FALSE(again.fresh) << damaged;
  }
}

TEST_F(IdentityOfABox, ARestoredDatabaseBringsItsOwnAndTheCopyFollows) {
  const Access first = load();
  blobs.values[std::string(kAccessBlob)] =
      to_bytes("{\"id\":7100000001,\"token\":\"" + std::string(50, 'a') + "\"}");
  EXPECT_EQ(load().id_instance, 7'100'000'001U);
  blobs.values.clear();
  EXPECT_EQ(load().id_instance, 7'100'000'001U);
  EXPECT_NE(load().token, first.token);
}

TEST_F(IdentityOfABox, IsNewAfterAReset) {
  const Access first = load();
  blobs.values.clear();
  forget_identity(folder.at("identity"), kAccessBlob);
  EXPECT_NE(load().token, first.token);
}

}  // namespace
}  // namespace posthorn::daemon
