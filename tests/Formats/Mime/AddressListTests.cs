using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class AddressListTests
{
    static string Parse(string text) => string.Join("; ", AddressList.Parse(Encoding.UTF8.GetBytes(text)).Groups.Select(group =>
        (group.Name is null ? "" : group.Name + ": ") + string.Join(", ", group.Members.Select(m => $"{m.Name}|{m.LocalPart}|{m.Domain}"))));

    // RFC 5322 appendix A
    [Theory]
    [InlineData("John Doe <jdoe@machine.example>", "John Doe|jdoe|machine.example")]
    [InlineData("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>", "Mary Smith|mary|x.test, |jdoe|example.org, Who?|one|y.test")]
    [InlineData("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>", "|boss|nil.test, Giant; \"Big\" Box|sysservices|example.net")]
    [InlineData("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", "A Group: Ed Jones|c|a.test, |joe|where.test, John|jdoe|one.test")]
    [InlineData("Undisclosed recipients:;", "Undisclosed recipients: ")]
    [InlineData("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete|pete|silly.test")]
    [InlineData("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)", "A Group: Chris Jones|c|public.example, |joe|example.org, John|jdoe|one.test")]
    [InlineData("Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|john.q.public|example.com")]
    [InlineData("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", "Mary Smith|mary|example.net, |jdoe|test.example")]
    public void Reads_what_the_RFC_shows(string text, string expected) => Assert.Equal(expected, Parse(text));

    [Theory]
    [InlineData("ivan@example.test (Иван)", "Иван|ivan|example.test")]
    [InlineData("=?utf-8?B?0JjQstCw0L0=?= <i@x>", "Иван|i|x")]
    [InlineData("\"=?utf-8?B?0JjQstCw0L0=?=\" <i@x>", "Иван|i|x")]
    [InlineData("=?utf-8?B?0JjQ?= =?utf-8?B?stCw0L0=?= <i@x>", "Иван|i|x")]
    [InlineData("=?utf-8?Q?Doe,_John?=<j@x>,k@y", "Doe, John|j|x, |k|y")]
    [InlineData("Иван Петров <иван@пример.рф>", "Иван Петров|иван|пример.рф")]
    [InlineData("\"john doe\"@x.test", "|john doe|x.test")]
    [InlineData("\"Name\" john@x.test", "Name|john|x.test")]
    [InlineData("info@x.test <info@y.test>", "info@x.test|info|y.test")]
    [InlineData("a@x b@y", "|a|x, |b|y")]
    [InlineData("a@x; b@y", "|a|x; |b|y")]
    [InlineData("root", "|root|")]
    [InlineData("<>", "||")]
    [InlineData("Name <a@[IPv6:::1]>, b@[192.0.2.1]", "Name|a|[IPv6:::1], |b|[192.0.2.1]")]
    [InlineData("Name <a@x, Other <b@y>", "Name|a|x, Other|b|y")]
    [InlineData("<<a@x>>", "|a|x")]
    [InlineData("<Undisclosed Recipients@x>", "|Undisclosed Recipients|x")]
    [InlineData("< a . b @ x >", "|a.b|x")]
    [InlineData("<undisclosed-recipients:@x;>", "|undisclosed-recipients:|x;")]
    [InlineData("\"never ends <a@x>", "|never ends <a@x>|")]
    [InlineData("'Quoted' <a@x>", "'Quoted'|a|x")]
    [InlineData("(only a comment)", "")]
    [InlineData(",,;,", "")]
    [InlineData("", "")]
    public void Reads_what_mailers_send(string text, string expected) => Assert.Equal(expected.Replace("; ", ", "), Parse(text).Replace("; ", ", "));

    [Fact]
    public void Written_lists_read_back()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            List<AddressGroup> groups = [];
            for (var i = random.Next(4); i > 0; i--)
            {
                // two nameless runs beside one another would be one
                var named = random.Next(2) == 0 || groups is [.., { Name: null }];
                var members = Enumerable.Range(0, random.Next(named ? 0 : 1, 4)).Select(_ => new HeaderAddress(RandomText.Line(random, 20).Trim(), Local(random), random.Next(8) == 0 ? "[192.0.2.1]" : "example.test")).ToList();
                groups.Add(new AddressGroup(named ? RandomText.Line(random, 10).Trim() : null, members));
            }

            var list = new AddressList(groups);
            Assert.Equal(groups, AddressList.Parse(Encoding.UTF8.GetBytes(list.ToString())).Groups);
        }
    }

    static string Local(Random random) => RandomText.Line(random, 6).Replace("=?", "") is { Length: > 0 } text ? text : "x";

    [Fact]
    public void Junk_neither_throws_nor_takes_long()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(80)).Select(_ => "<>@:;,()\"\\[] \t.a=?B".ToCharArray()[random.Next(19)]));
            foreach (var mailbox in AddressList.Parse(text).Mailboxes) Assert.NotNull(mailbox.Address);
        }

        var watch = System.Diagnostics.Stopwatch.StartNew();
        foreach (var piece in (string[])["(", "<", "\"", "=?a?q?b", "a@b ", "a,", "@", "[", "a:", "\\("])
            AddressList.Parse(string.Concat(Enumerable.Repeat(piece, 200_000 / piece.Length)));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }
}
