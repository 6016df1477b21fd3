using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dkim;

/// <summary>The signed messages that the RFCs themselves print.</summary>
public class RfcExamplesTests
{
    internal const string Message = """
        From: Joe SixPack <joe@football.example.com>
        To: Suzie Q <suzie@shopping.example.net>
        Subject: Is dinner ready?
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
        Message-ID: <20030712040037.46341.5F8J@football.example.com>

        Hi.

        We lost the game.  Are you hungry yet?

        Joe.

        """;

    /// <summary>RFC 8463 appendix A.2.</summary>
    internal static TextZone Zone => new()
    {
        { "brisbane._domainkey.football.example.com", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
        { "test._domainkey.football.example.com", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR" +
            "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC" +
            "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3" +
            "Ip3G+2kryOTIKT+l/K4w3QIDAQAB" },
    };

    const string Signed8463 = """
        DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=brisbane; t=1528637909; h=from : to :
         subject : date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
         Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
        DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=test; t=1528637909; h=from : to : subject :
         date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
         DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
         dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=

        """;

    internal static byte[] Wire(string text) => Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n"));

    internal static async Task<IReadOnlyList<DkimVerdict>> VerifyAsync(byte[] message, TextZone zone, long now = 1528637909)
    {
        using var signed = new SignedMessage(message);
        return await new DkimVerifier(new DkimKeys(zone)).VerifyAsync(signed, DateTimeOffset.FromUnixTimeSeconds(now), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_message_of_RFC_8463_has_two_good_signatures()
    {
        var verdicts = await VerifyAsync(Wire(Signed8463 + Message), Zone);
        Assert.Equal([(AuthResult.Pass, "brisbane", 256), (AuthResult.Pass, "test", 1024)], verdicts.Select(v => (v.Result, v.Selector, v.KeyBits)));
        Assert.All(verdicts, v => Assert.Equal("football.example.com", v.Domain));
    }

    [Fact]
    public async Task Line_ends_of_a_file_do_not_count() =>
        Assert.All(await VerifyAsync(Encoding.UTF8.GetBytes(Signed8463 + Message), Zone), v => Assert.Equal(AuthResult.Pass, v.Result));

    [Theory]
    [InlineData("Joe SixPack", "Joe Sixpack", "the signature is not right")]
    [InlineData("hungry yet", "angry yet", "the body was changed")]
    [InlineData("Subject: Is", "Subject: Forged\nSubject: Is", "the signature is not right")]
    public async Task A_change_is_seen_by_both(string what, string by, string reason)
    {
        var changed = (Signed8463 + Message).Replace(what, by, StringComparison.Ordinal);
        Assert.All(await VerifyAsync(Wire(changed), Zone), v => Assert.Equal((AuthResult.Fail, reason), (v.Result, v.Reason)));
    }

    /// <summary>As RFC 6376 appendix A.2 has it, but for the second space behind "game." that printing put there; each fold has six spaces.</summary>
    const string Signed6376 = """
        DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
              c=simple/simple; q=dns/txt; i=joe@football.example.com;
              h=Received : From : To : Subject : Date : Message-ID;
              bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
              b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
              4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
              KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
              4bmp/YzhwvcubU4=;
        Received: from client1.football.example.com  [192.0.2.1]
              by submitserver.example.com with SUBMISSION;
              Fri, 11 Jul 2003 21:01:54 -0700 (PDT)

        """;

    [Fact]
    public async Task The_message_of_RFC_6376_has_a_good_signature()
    {
        var zone = new TextZone
        {
            { "brisbane._domainkey.example.com", "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt" +
                "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB" },
        };
        var verdict = Assert.Single(await VerifyAsync(Wire(Signed6376 + Message.Replace("game.  Are", "game. Are", StringComparison.Ordinal)), zone));
        Assert.Equal((AuthResult.Pass, "example.com", "joe@football.example.com"), (verdict.Result, verdict.Domain, verdict.Signature.Identity));
    }
}
