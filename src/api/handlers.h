#pragma once

#include "api/context.h"

/// One function per method, in files named as Green-API's documentation groups them. routes.cpp
/// is the table that says where, how often and under which conditions each is called.
namespace posthorn::api {

// account.cpp
void get_settings(Context& context, Call call);
void set_settings(Context& context, Call call);
void get_state_instance(Context& context, Call call);
void get_status_instance(Context& context, Call call);
void reboot(Context& context, Call call);
void logout(Context& context, Call call);
void qr(Context& context, Call call);
void scan_qr_code(Context& context, Call call);
void get_authorization_code(Context& context, Call call);

// passkey.cpp
void get_passkey(Context& context, Call call);
void send_passkey_response(Context& context, Call call);
void confirm_passkey(Context& context, Call call);

// account_info.cpp
void get_wa_settings(Context& context, Call call);
void get_state_instance_history(Context& context, Call call);
void get_device_info(Context& context, Call call);
void set_system_proxy(Context& context, Call call);

// sending.cpp
void send_message(Context& context, Call call);
void send_location(Context& context, Call call);
void send_contact(Context& context, Call call);
void send_poll(Context& context, Call call);
void send_interactive_buttons(Context& context, Call call);
void send_interactive_buttons_reply(Context& context, Call call);

// changing.cpp
void edit_message(Context& context, Call call);
void delete_message(Context& context, Call call);
void send_reaction(Context& context, Call call);

// forwarding.cpp
void forward_messages(Context& context, Call call);

// sending_link.cpp
void send_link(Context& context, Call call);

// typing.cpp
void send_typing(Context& context, Call call);

// receiving.cpp
void receive_notification(Context& context, Call call);
void delete_notification(Context& context, Call call);

// queues.cpp
void show_messages_queue(Context& context, Call call);
void clear_messages_queue(Context& context, Call call);
void get_messages_count(Context& context, Call call);
void get_webhooks_count(Context& context, Call call);
void clear_webhooks_queue(Context& context, Call call);

// contacts.cpp
void get_contacts(Context& context, Call call);
void get_chats(Context& context, Call call);
void get_contact_info(Context& context, Call call);
void get_avatar(Context& context, Call call);
void get_avatar_async(Context& context, Call call);
void add_contact(Context& context, Call call);
void edit_contact(Context& context, Call call);
void delete_contact(Context& context, Call call);
void set_profile_picture(Context& context, Call call);
void archive_chat(Context& context, Call call);
void unarchive_chat(Context& context, Call call);

// statuses.cpp
void send_text_status(Context& context, Call call);
void send_voice_status(Context& context, Call call);
void send_media_status(Context& context, Call call);
void delete_status(Context& context, Call call);
void get_status_statistic(Context& context, Call call);

// disappearing.cpp
void set_disappearing_chat(Context& context, Call call);
// journals.cpp
void get_chat_history(Context& context, Call call);
void get_message(Context& context, Call call);
void last_incoming_messages(Context& context, Call call);
void last_outgoing_messages(Context& context, Call call);
void last_incoming_calls(Context& context, Call call);
void last_outgoing_calls(Context& context, Call call);
void get_incoming_statuses(Context& context, Call call);
void get_outgoing_statuses(Context& context, Call call);

// phone_history.cpp
void request_chat_history(Context& context, Call call);

// read_mark.cpp
void read_chat(Context& context, Call call);

// service.cpp
void check_whatsapp(Context& context, Call call);

// groups.cpp
void create_group(Context& context, Call call);
void get_group_data(Context& context, Call call);
void update_group_name(Context& context, Call call);
void update_group_settings(Context& context, Call call);
void add_group_participant(Context& context, Call call);
void remove_group_participant(Context& context, Call call);
void set_group_admin(Context& context, Call call);
void remove_admin(Context& context, Call call);
void set_group_picture(Context& context, Call call);
void leave_group(Context& context, Call call);

// health.cpp
/// all: for who has a right; else only whether the box is alive.
[[nodiscard]] Response health(const Status& status, const std::string& version, bool all);

}  // namespace posthorn::api
