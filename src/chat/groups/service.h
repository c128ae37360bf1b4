#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/groups/cache.h"
#include "chat/groups/changes.h"
#include "chat/lane/context.h"
#include "posthorn/chat/groups.h"

namespace posthorn::chat {

/// Makes, shows and changes groups.
class GroupService final : public Groups {
 public:
  /// Both outlive this.
  GroupService(const MessageContext& context, GroupCache& groups)
      : context_(context), groups_(groups) {}

  void create(const std::string& name, std::vector<std::string> members,
              Once<void(Result<CreatedGroup>)> done) override;
  void show(const std::string& chat, Once<void(Result<GroupData>)> done) override;
  void rename(const std::string& chat, const std::string& name,
              Once<void(Result<GroupChange>)> done) override;
  void change_member(const std::string& chat, MemberChange change, const std::string& member,
                     Once<void(Result<GroupChange>)> done) override;
  void change_settings(const std::string& chat, Settings settings,
                       Once<void(Result<GroupChange>)> done) override;
  void set_picture(const std::string& chat, Bytes jpeg,
                   Once<void(Result<GroupChange>)> done) override;
  void leave(const std::string& chat, Once<void(Result<GroupChange>)> done) override;

 private:
  [[nodiscard]] Result<wire::Jid> group_of(const std::string& chat) const;
  [[nodiscard]] Result<NamedMember> member_of(const std::string& chat) const;
  void on_created(Result<wire::Node> reply, Once<void(Result<CreatedGroup>)> done);
  void ask_invite(const wire::Jid& group, Once<void(std::string link)> done);
  [[nodiscard]] Result<GroupData> data_of(const GroupInfo& info) const;
  /// Asks and says how it went; look: 0 or what the answer itself refuses.
  void ask(wire::Node iq, Function<Result<std::string>(const wire::Node& iq)> look,
           Once<void(Result<GroupChange>)> done);
  void ask_settings(const wire::Jid& group, std::vector<wire::Node> settings,
                    Once<void(Result<GroupChange>)> done);

  const MessageContext& context_;
  GroupCache& groups_;
};

}  // namespace posthorn::chat
