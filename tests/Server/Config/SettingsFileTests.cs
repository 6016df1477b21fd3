using CbaMail.Config;
using Xunit;

namespace CbaMail.Tests.Server.Config;

public sealed class SettingsFileTests
{
    static LoadedSettings Load(string text, SettingsFlags? flags = null) => SettingsFile.Parse(text, "cbamail.yaml", flags ?? new());

    static Settings Good(string text, SettingsFlags? flags = null)
    {
        var loaded = Load(text, flags);
        Assert.Null(loaded.Problem);
        return loaded.Settings!;
    }

    [Fact]
    public void Five_lines_are_a_working_server()
    {
        var settings = Good("""
            hostname: Mail.Example.ORG.
            data: /var/lib/cbamail
            listeners:
              lmtp: off
              http: 127.0.0.1:8080
            """);
        Assert.Equal("mail.example.org", settings.Hostname);
        Assert.Equal("/var/lib/cbamail", settings.Data);
        Assert.False(settings.Evaluation);
        Assert.DoesNotContain(settings.Listeners, listener => listener.Protocol == Protocol.Lmtp);
        Assert.Equal(("127.0.0.1", 8080), settings.Listeners.Where(listener => listener.Protocol == Protocol.Http).Select(listener => (listener.Address, listener.Port)).Single());
        Assert.Equal(("::", 993), settings.Listeners.Where(listener => listener.Protocol == Protocol.Imaps).Select(listener => (listener.Address, listener.Port)).Single());
    }

    [Fact]
    public void An_empty_file_is_all_defaults() => Assert.Equal(9 + WellKnownPorts.LoopbackAddresses().Count, Good("# nothing\n").Listeners.Count);

    [Fact]
    public void Evaluation_listens_on_loopback_alone_with_every_port_moved()
    {
        var settings = Good("", new(Evaluation: true, PortOffset: 10000));
        Assert.True(settings.Evaluation);
        Assert.All(settings.Listeners, listener => Assert.Contains(listener.Address, new[] { "127.0.0.1", "::1" }));
        Assert.Equal([10024, 10025, 10080, 10110, 10143, 10443, 10465, 10587, 10993, 10995], settings.Listeners.Select(listener => listener.Port).Distinct().Order());
    }

    [Fact]
    public void Lmtp_is_for_this_machine_alone_unless_told_otherwise() =>
        Assert.All(Good("").Listeners.Where(listener => listener.Protocol == Protocol.Lmtp), listener => Assert.Contains(listener.Address, new[] { "127.0.0.1", "::1" }));

    [Fact]
    public void Flags_win_over_the_file()
    {
        var settings = Good("hostname: a.example\ndata: /one\nport-offset: 5\n", new(Data: "/two", PortOffset: 7, Hostname: "b.example"));
        Assert.Equal(("b.example", "/two", 7), (settings.Hostname, settings.Data, settings.PortOffset));
    }

    [Theory]
    [InlineData("smtp: proxy", "127.0.0.1", 10025)]
    [InlineData("smtp: 2525 proxy", "127.0.0.1", 2525)]
    [InlineData("smtp: 192.0.2.1:26 proxy", "192.0.2.1", 26)]
    [InlineData("smtp: [192.0.2.1 proxy]", "192.0.2.1", 10025)]
    public void A_port_behind_the_proxy_protocol_says_so(string line, string address, int port) =>
        Assert.Contains(Good($"listeners: {{{line}}}\n", new(Evaluation: true, PortOffset: 10000)).Listeners, listener => listener is { Protocol: Protocol.Smtp, Proxy: true } && (listener.Address, listener.Port) == (address, port));

    [Theory]
    [InlineData("listeners: {smtp: off proxy}")]
    [InlineData("listeners: {smtp: proxy proxy}")]
    [InlineData("inbound: {proxy-from: [10.0.0.0/33]}")]
    [InlineData("inbound: {proxy-from: [10.0]}")]
    [InlineData("inbound: {proxy-from: [balancer.example.org]}")]
    public void A_place_or_a_network_that_is_none_is_refused(string text) => Assert.Contains("line 1", Load(text).Problem);

    [Fact]
    public void A_network_is_an_address_or_a_prefix_and_its_further_bits_do_not_matter() =>
        Assert.Equal(["192.0.2.0/24", "192.0.2.1/32", "2001:db8::/32", "::1/128", "10.0.0.0/8"],
            Good("inbound: {proxy-from: [192.0.2.77/24, 192.0.2.1, \"2001:db8:1::/32\", \"::1\", \"::ffff:10.1.2.3/104\"]}").Inbound.ProxyFrom.Select(network => network.ToString()));

    [Fact]
    public void A_port_in_the_file_is_taken_as_it_is_written() =>
        Assert.All(Good("listeners:\n  imap: 1143\n", new(Evaluation: true, PortOffset: 10000)).Listeners.Where(listener => listener.Protocol == Protocol.Imap), listener => Assert.Equal(1143, listener.Port));

    [Theory]
    [InlineData("smtp: 192.0.2.1", "192.0.2.1", 25)]
    [InlineData("smtp: 192.0.2.1:2525", "192.0.2.1", 2525)]
    [InlineData("smtp: \"[2001:db8::1]:2525\"", "2001:db8::1", 2525)]
    [InlineData("smtp: \"2001:db8::1\"", "2001:db8::1", 25)]
    [InlineData("smtp: \"*:26\"", "::", 26)]
    public void A_listener_is_an_address_with_or_without_a_port(string line, string address, int port)
    {
        var listener = Good("listeners:\n  " + line + "\n").Listeners.Single(one => one.Protocol == Protocol.Smtp);
        Assert.Equal((address, port), (listener.Address, listener.Port));
    }

    [Fact]
    public void A_listener_may_have_several_addresses() =>
        Assert.Equal(2, Good("listeners:\n  smtp:\n    - 192.0.2.1\n    - 192.0.2.2:26\n").Listeners.Count(one => one.Protocol == Protocol.Smtp));

    [Theory]
    [InlineData("hostnam: x\n", 1, "did you mean \"hostname\"?")]
    [InlineData("hostname: a.example\nsmtp:\n  mesage-size: 10M\n", 3, "did you mean \"message-size\"?")]
    [InlineData("smtp:\n  message-size: much\n", 2, "expected a number or a size")]
    [InlineData("port-offset: many\n", 1, "expected a number")]
    [InlineData("evaluation: maybe\n", 1, "expected yes or no")]
    [InlineData("\n\nlog: loud\n", 3, "expected one of")]
    [InlineData("listeners:\n  imap: off\n  pop9: off\n", 3, "there is no protocol \"pop9\"")]
    [InlineData("listeners:\n  imap: nowhere at all\n", 2, "is no place to listen at")]
    [InlineData("listeners: off\n", 1, "holds a protocol a line")]
    [InlineData("listeners:\n  imap: 70000\n", 2, "is no place to listen at")]
    [InlineData("hostname: [a, b]\n", 1, "takes one value")]
    [InlineData("- a\n- b\n", 1, "key: value")]
    [InlineData("hostname: a\nhostname: b\n", 2, "not YAML")]
    [InlineData("a: b: c\n", 1, "not YAML")]
    [InlineData("hostname: \"unclosed\n", 1, "not YAML")]
    [InlineData("storage: yes\n", 1, "holds further keys")]
    public void What_is_wrong_is_named_with_file_line_and_sentence(string text, int line, string sentence)
    {
        var problem = Load(text).Problem;
        Assert.NotNull(problem);
        Assert.Contains($"line {line}", problem);
        Assert.StartsWith("cbamail.yaml, line", problem);
        Assert.Contains(sentence, problem);
        Assert.DoesNotContain("\n", problem);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_sentence() => Assert.Contains("cannot be read", SettingsFile.Load(new(Config: "/nowhere/x.yaml")).Problem);

    [Theory]
    [InlineData("a b")]
    [InlineData("-a.example")]
    [InlineData("a..example")]
    public void A_bad_host_name_is_refused(string name) => Assert.Contains("is not a host name", Load("", new(Hostname: name)).Problem);

    [Fact]
    public void Ports_beyond_the_last_are_refused() => Assert.NotNull(Load("", new(PortOffset: 65000)).Problem);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("none", 0)]
    [InlineData("123", 123)]
    [InlineData("1K", 1024)]
    [InlineData("500M", 524288000)]
    [InlineData("500 MB", 524288000)]
    [InlineData("1g", 1073741824)]
    [InlineData("1.5GiB", 1610612736)]
    [InlineData("2T", 2199023255552)]
    public void Sizes_are_read_as_people_write_them(string text, long bytes)
    {
        Assert.True(Sizes.TryParse(text, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1M")]
    [InlineData("1X")]
    [InlineData("1,5G")]
    [InlineData("0.5")]
    [InlineData("99999999999T")]
    [InlineData("1e3")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Sizes.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1023, "1023")]
    [InlineData(1024, "1K")]
    [InlineData(1536, "1.5K")]
    [InlineData(1073741824, "1G")]
    public void Sizes_are_shown_short(long bytes, string text) => Assert.Equal(text, Sizes.Show(bytes));

    [Theory]
    [InlineData("30", 30)]
    [InlineData("30s", 30)]
    [InlineData("5m", 300)]
    [InlineData("1h30m", 5400)]
    [InlineData("2 days", 172800)]
    [InlineData("500ms", 0.5)]
    public void Times_are_read_as_people_write_them(string text, double seconds)
    {
        Assert.True(Times.TryParse(text, out var time));
        Assert.Equal(seconds, time.TotalSeconds, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("5 lightyears")]
    [InlineData("-5m")]
    [InlineData("99999999999999d")]
    public void What_is_no_time_is_refused(string text) => Assert.False(Times.TryParse(text, out _));
}
