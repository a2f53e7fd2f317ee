#include "send/routing.h"

#include <gtest/gtest.h>

namespace postern::send {
namespace {

RoutingRules rules() {
  RoutingRules rules;
  rules.envnoathost = "me.example";
  rules.percenthack = control::HostSet({"gate.example", "gate2.example"});
  rules.locals = control::HostSet({"me.example", "Gate.Example"});
  rules.virtualdomains =
      control::HostMap({"d.org:joe", ".d.org:sub-joe", "not.d.org:", "ann@people.example:ann-mail",
                        "deep.a.example:deep", ".a.example:a"});
  return rules;
}

Route local(std::string address) { return {Channel::local, std::move(address)}; }
Route remote(std::string address) { return {Channel::remote, std::move(address)}; }

TEST(Routing, AddressWithoutHostGetsEnvnoathost) {
  EXPECT_EQ(route("bob", rules()), local("bob@me.example"));
  EXPECT_EQ(route("", rules()), local("@me.example"));
}

TEST(Routing, HostInLocalsIsLocalInAnyCaseAndUnchanged) {
  EXPECT_EQ(route("Bob@ME.example", rules()), local("Bob@ME.example"));
  EXPECT_EQ(route("bob@sub.me.example", rules()), remote("bob@sub.me.example"));
}

TEST(Routing, PercentsAreUndoneForAsLongAsTheHostAllowsIt) {
  EXPECT_EQ(route("bob%far.example@gate.example", rules()), remote("bob@far.example"));
  EXPECT_EQ(route("bob%far.example%gate2.example@gate.example", rules()),
            remote("bob@far.example"));
  EXPECT_EQ(route("bob%far.example@other.example", rules()),
            remote("bob%far.example@other.example"));
  EXPECT_EQ(route("bob@gate.example", rules()), local("bob@gate.example"));
  EXPECT_EQ(route("%@gate.example", rules()), remote("@"));
}

TEST(Routing, VirtualDomainPutsItsUserInFrontAndKeepsCase) {
  EXPECT_EQ(route("Info@D.ORG", rules()), local("joe-Info@D.ORG"));
}

TEST(Routing, VirtualDomainIsLookedUpByAddressHostAndParents) {
  EXPECT_EQ(route("ann@people.example", rules()), local("ann-mail-ann@people.example"));
  EXPECT_EQ(route("bob@people.example", rules()), remote("bob@people.example"));
  EXPECT_EQ(route("x@www.d.org", rules()), local("sub-joe-x@www.d.org"));
  EXPECT_EQ(route("x@deep.a.example", rules()), local("deep-x@deep.a.example"));
  EXPECT_EQ(route("x@other.a.example", rules()), local("a-x@other.a.example"));
  EXPECT_EQ(route("x@a.example", rules()), remote("x@a.example"));
}

TEST(Routing, EmptyVirtualDomainIsAnException) {
  EXPECT_EQ(route("x@not.d.org", rules()), remote("x@not.d.org"));
}

TEST(Routing, EmptyKeyTakesEverythingElse) {
  RoutingRules all = rules();
  all.virtualdomains = control::HostMap({":catchall", "out.example:"});
  EXPECT_EQ(route("x@any.where", all), local("catchall-x@any.where"));
  EXPECT_EQ(route("x@out.example", all), remote("x@out.example"));
  EXPECT_EQ(route("x@me.example", all), local("x@me.example"));
}

TEST(Routing, BounceShowsTheAddressWithoutItsVirtualPrefix) {
  for (const std::string address :
       {"Info@D.ORG", "x@www.d.org", "ann@people.example", "a-b@d.org", "x@me.example",
        "x-y@far.example", "x@not.d.org", "joe-x@me.example"}) {
    EXPECT_EQ(without_virtual_prefix(route(address, rules()).address, rules()), address);
  }
  EXPECT_EQ(without_virtual_prefix("joe-x", rules()), "joe-x");
}

}  // namespace
}  // namespace postern::send
