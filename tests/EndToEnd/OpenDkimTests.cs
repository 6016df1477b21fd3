using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Formats.MailAuth;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Debian's OpenDKIM signs what it is shown; that the signature holds in the mailbox says that what it was shown is what is kept.</summary>
public sealed class OpenDkimTests
{
    [Fact]
    public async Task Its_signature_holds_in_the_mailbox()
    {
        if (!MilterProgram.IsInstalled("opendkim")) Assert.Skip("opendkim is not installed");
        await using var signer = await MilterProgram.OpenDkimAsync("example.test");
        await using var server = await TestServer.StartAsync($"milters:\n  - name: opendkim\n    address: {signer.Address}\n    for: [smtp]\n");
        await server.AddAccountsAsync(ServerFixture.Anna);
        var text = Letter.Text("boris@example.test", ServerFixture.Anna, "Подпись", "Здравствуйте!\r\n.точка\r\n\r\n\r\n", "X-Folded: one\r\n\ttwo  three\r\n");
        await Letter.SendAsync(server.Smtp, "boris@example.test", ServerFixture.Anna, text);
        var kept = Assert.Single(await Letter.AllAsync(server.Imap, ServerFixture.Anna));
        var from = kept.IndexOf("Return-Path:", StringComparison.Ordinal);
        var message = kept[from..(kept.LastIndexOf("\r\n\r\n\r\n", StringComparison.Ordinal) + 6)];
        Assert.Contains("DKIM-Signature: v=1; a=rsa-sha256", message);
        Assert.True(message.IndexOf("Received:", StringComparison.Ordinal) < message.IndexOf("DKIM-Signature:", StringComparison.Ordinal), message);
        var record = await File.ReadAllTextAsync(Path.Combine(signer.Folder, "test.txt"), TestContext.Current.CancellationToken);
        using var signed = new SignedMessage(Encoding.UTF8.GetBytes(message));
        var verdict = Assert.Single(await new DkimVerifier(new DkimKeys(new TextZone { ["test._domainkey.example.test"] = [record] }))
            .VerifyAsync(signed, TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken));
        Assert.Equal((AuthResult.Pass, ""), (verdict.Result, verdict.Reason));
    }
}
