#include "auth/login.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "posix/pipe.h"

namespace postern::auth {
namespace {

using namespace std::string_literals;

// A descriptor holding `bytes`, which serve_login() closes.
int descriptor_with(std::string_view bytes) {
  auto pipe = make_pipe();
  EXPECT_EQ(::write(pipe->write.get(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  return pipe->read.release();
}

Refusal refusal_for(std::string_view bytes, const Result<std::optional<Account>>& verdict) {
  const char* const argv[] = {"checker", "/bin/true", nullptr};
  return serve_login(descriptor_with(bytes), argv,
                     [&](const wire::CheckRequest&) { return verdict; });
}

TEST(Login, IsMisusedWithoutASubprogram) {
  const char* const argv[] = {"checker", nullptr};
  EXPECT_EQ(serve_login(descriptor_with("a\0b\0"s), argv, {}).exit_code, 2);
}

TEST(Login, IsMisusedWithoutTheDescriptor) {
  const char* const argv[] = {"checker", "/bin/true", nullptr};
  EXPECT_EQ(serve_login(1023, argv, {}).exit_code, 2);
}

TEST(Login, IsMisusedWithFieldsMissing) {
  EXPECT_EQ(refusal_for("", std::nullopt).exit_code, 2);
  EXPECT_EQ(refusal_for("user"s, std::nullopt).exit_code, 2);
  EXPECT_EQ(refusal_for("user\0password"s, std::nullopt).exit_code, 2);
}

TEST(Login, IsRejectedBeyond512Bytes) {
  const std::string bytes = "user\0"s + std::string(506, 'p') + '\0';
  ASSERT_EQ(bytes.size(), 512U);
  EXPECT_EQ(refusal_for(bytes, failure("reached the checker")).exit_code, 111);
  EXPECT_EQ(refusal_for(bytes + "x", failure("reached the checker")).exit_code, 1);
}

TEST(Login, IsRejectedWithoutAWord) {
  const Refusal refusal = refusal_for("user\0password\0\0"s, std::nullopt);
  EXPECT_EQ(refusal.exit_code, 1);
  EXPECT_EQ(refusal.message, "");
}

TEST(Login, IsPutOffWhenTheCheckerCannotTell) {
  const Refusal refusal = refusal_for("user\0password\0"s, failure("unable to open x", EIO));
  EXPECT_EQ(refusal.exit_code, 111);
  EXPECT_EQ(refusal.message, "unable to open x: Input/output error");
}

TEST(Login, IsNotForRoot) {
  const Refusal refusal = refusal_for("user\0password\0"s, Account{"root", {0, 0, {}}, "/", ""});
  EXPECT_EQ(refusal.exit_code, 1);
}

TEST(Login, IsPutOffWhenTheHomeIsMissing) {
  const Account account{
      "joe", {::geteuid() == 0 ? 65534 : ::geteuid(), 65534, {}}, "/nonexistent", "/bin/sh"};
  // In a child, because as root it gives up its identity first.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(refusal_for("joe\0password\0"s, account).exit_code);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 111);
}

// Runs a shell as the subprogram and returns what it prints.
std::string output_of(const Account& account, const char* script) {
  auto pipe = make_pipe();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe->write.get(), 1);
    const char* const argv[] = {"checker", "sh", "-c", script, nullptr};
    const int credentials = ::dup2(descriptor_with("joe\0password\0"s), 3);
    ::_exit(serve_login(credentials, argv, [&](const auto&) {
              return Result<std::optional<Account>>(account);
            }).exit_code);
  }
  pipe->write.reset();
  std::string output;
  char chunk[256];
  for (ssize_t count = 0; (count = ::read(pipe->read.get(), chunk, sizeof chunk)) > 0;) {
    output.append(chunk, static_cast<std::size_t>(count));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return output;
}

TEST(Login, EntersTheAccountAndRunsTheSubprogram) {
  const uid_t uid = ::geteuid() == 0 ? 65534 : ::geteuid();
  const Account account{"joe", {uid, 65534, {}}, "/usr", "/bin/false"};
  EXPECT_EQ(
      output_of(account, "id -u; pwd; echo $USER $HOME $SHELL; test -e /dev/fd/3 || echo no 3"),
      std::to_string(uid) + "\n/usr\njoe /usr /bin/false\nno 3\n");
}

TEST(Login, OfAnotherUserChangesNothingUnlessRoot) {
  const Account account{"joe", {1005, 1005, {}}, "/usr", "/bin/sh"};
  EXPECT_EQ(entry_for(0, account), Entry::become);
  EXPECT_EQ(entry_for(1005, account), Entry::stay);
  EXPECT_EQ(entry_for(1006, account), Entry::verify);
}

}  // namespace
}  // namespace postern::auth
