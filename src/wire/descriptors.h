// The descriptor numbers that programs agree on.
#pragma once

namespace postern::wire {

/// qmail-queue, and whatever $QMAILQUEUE names.
namespace queue_fd {
inline constexpr int message = 0;
inline constexpr int envelope = 1;
inline constexpr int error_text = 6;
// The same pipe, where simscan and the first patch for custom texts have it.
inline constexpr int older_error_text = 4;
}  // namespace queue_fd

/// qmail-send, as qmail-start arranges them.
namespace send_fd {
inline constexpr int log = 0;
inline constexpr int to_lspawn = 1;
inline constexpr int from_lspawn = 2;
inline constexpr int to_rspawn = 3;
inline constexpr int from_rspawn = 4;
inline constexpr int to_clean = 5;
inline constexpr int from_clean = 6;
}  // namespace send_fd

/// A spawn or qmail-clean: orders come in on 0, reports go out on 1.
namespace server_fd {
inline constexpr int orders = 0;
inline constexpr int reports = 1;
}  // namespace server_fd

/// checkpassword and its kind read the credentials here.
inline constexpr int checkpassword_fd = 3;

}  // namespace postern::wire
