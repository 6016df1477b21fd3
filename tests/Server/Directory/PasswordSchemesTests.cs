using System.Text;
using CbaMail.Admission;
using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

/// <summary>Hashes of "Пароль 1" as Dovecot's <c>doveadm pw</c>, Python's crypt and hashlib, and Django's algorithm wrote them.</summary>
public sealed class PasswordSchemesTests
{
    const string Password = "Пароль 1";

    public static TheoryData<string> Hashes => [
        "{BLF-CRYPT}$2y$05$S7ugcgdkpovl7g4pa9eyVey1CqAdIUoy6aqMI.K.oCzKUShbjLhwO",
        "{SSHA}VPXR7K9mmL5DbGd5S+8cGK7dBuBnj/lH",
        "{SSHA256}3/taZRijTsnLvOqp/D4kysYfG5ADX9SBGzuD9hoQKKNAPOm/",
        "{SSHA512}lt6xZBOCIQKp0cqJdun4S5qtZlfCZZ396ANflQNMVFMe5YCB2vCBf7il2HYRUpxMyJ3oyZEe2OGpYXN3mWM2cwiXyAs=",
        "{SHA256-CRYPT}$5$1JJoIV3cLaCg90zR$cep06m/SGMPCTcNnjl68mpwqwwCMDuKgIpZn/oB35cA",
        "{SHA512-CRYPT}$6$lqOPob0sfMvvvrIk$yfQvHyWS4k4DlvUTY58ryPq6GGbVZpYi36.iGTQATcrHQessPhK./hdasebgxNZmvT5QqNQKpeXEbkF/KrnO81",
        "{MD5-CRYPT}$1$3YvvRxmM$gepXcQ9jtkrysLQaIIh380",
        "{CRYPT}$2y$05$Ny3cl2fW9QVfmPHnbLWpQueGhAxMdc2EvdMxojCF//VVpbIKeSXPO",
        "{DES-CRYPT}mh4JxPFaXsXro",
        "{CRYPT}abQ.koL5TdkII",
        "{PLAIN-MD5}b918c40c6ab16f3a20b5d97215fde5d6",
        "{LDAP-MD5}uRjEDGqxbzogtdlyFf3l1g==",
        "{MD5}$1$BkZxSqiX$cdkSTTLc1LgnFlZvf.AR3/",
        "{MD5}b918c40c6ab16f3a20b5d97215fde5d6",
        "{SHA}NvRAFmi+h1oEnMlEsDgbBX5ekhU=",
        "{SHA1}NvRAFmi+h1oEnMlEsDgbBX5ekhU=",
        "{SHA256}FP+fYt9rUWRU12O+JVB/CjrF4bL0Pm9wRffOy15kS8A=",
        "{SHA512}2pSZZhOXgIOdc7APh3MmYtrgkm+JOkNVPK6Y626cpBQl2FHMer6L1IISOu7XIZkLwrcST+YXtyB5tYFcz8zMMw==",
        "{SMD5}cHZnPA3JWj1hHh5H6priKoenqQQ=",
        "{PBKDF2}$1$WxflMDFvkzk8ct5E$5000$49b213ab71d6ea582db3c2e3454205d88964230d",
        "{SSHA.HEX}4984ffc52932897a543c5fedeea05a1f0ff109ebf779a94a",
        "{SHA256.HEX}14ff9f62df6b516454d763be25507f0a3ac5e1b2f43e6f7045f7cecb5e644bc0",
        "{BLF-CRYPT.B64}JDJ5JDA1JFM2Ri9TclVzVTU4eVdja29Xem5zaC5HdDF0OUxqcmNDeDAvaktCV1phOWtDT05TdU5TWWxP",
        "{PLAIN-MD5.b64}uRjEDGqxbzogtdlyFf3l1g==",
        "{SHA512-CRYPT.HEX}24362476466c2e4847495a76376a54656c4772246163587837624e346c594d444334725962576955626d5272706b645075575376476d334c4b3859514a4132575234456c2f7268374939393563394743722e46667a5257645843554f374779495348695139784138652f",
        "{SHA.hex}36f4401668be875a049cc944b0381b057e5e9215",
        "{SSHA512.B64}nXt7U+VdJLRrmfiPygEvxKzJDNOLqbgZZklOw0hmCUqZRjOE+YiyUsRmnFKlbVGYOiSa8+p+FYEIF1SXIhD0vvBxw8c=",
        "pbkdf2_sha256$1200$saltSALT12$rYGI/bDlPPu5MCpIvemn6YXmNP11xQbs0T1TznFcEUM=",
        "pbkdf2_sha1$900$saltSALT12$tITfb+GaL2X87lbrrEzuE8GR8+E=",
        "$1$abcdefgh$xT94kHla/E1LiX6pFYN.I1",
        "abQ.koL5TdkII",
        "$2y$05$abcdefghijklmnopqrstuubgxblmSLKu/CAhECy1ZD5Oq0W.OPfP2",
        "$7$C6..../....SodiumChloride$QAd0zJRQijL./c0aOs.C8bKCuWTcfSbH0ZoGfJBcxv3",
        "$y$j75$abcdefgh$lsOh.WTypyIZPh7abQEzhtPq3RIH.82Ch0g2d7veNA3",
        "$gy$j75$abcdefgh$I/qlCa/Aajh0H0Y8NIjVamMwg8CKvMtxrbkktPE7/XC",
        "$sha1$40000$abcdefgh$KJmTcstXuEy.f/DYTEQj/N1hzdQW",
    ];

    public static TheoryData<string> Argon2Hashes => [
        "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$xkei93RhzHjcMq4Bh54W+Q$5JAF+4sc7nhJ08GRa6ZcElZcFREMq7pRaAYnkKwkhL8",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$AdANsdMAMqrFmR6VzfA7Gw$+Ig258Oi4BPw6A7cs60fe6UdKcOjN9Qvita5dA9sZBI",
        "argon2$argon2id$v=19$m=65536,t=3,p=1$AdANsdMAMqrFmR6VzfA7Gw$+Ig258Oi4BPw6A7cs60fe6UdKcOjN9Qvita5dA9sZBI",
    ];

    [Theory]
    [MemberData(nameof(Hashes))]
    public void The_password_fits_and_no_other_does(string hash)
    {
        var kept = PasswordSchemes.Read(hash);
        Assert.True(kept.Ok, kept.Refusal?.Sentence);
        Assert.True(PasswordSchemes.Verify(Password, kept.Value.Hash));
        Assert.False(PasswordSchemes.Verify("другой", kept.Value.Hash));
        Assert.False(PasswordSchemes.Verify("", kept.Value.Hash));
        // what is kept can be read again: it comes back out of a backup
        Assert.Equal(kept.Value, PasswordSchemes.Read(kept.Value.Hash).Value);
    }

    [Theory]
    [MemberData(nameof(Argon2Hashes))]
    public void Argon2_is_verified_where_its_library_is_there_and_named_where_it_is_not(string hash)
    {
        var kept = PasswordSchemes.Read(hash);
        Assert.Equal(Argon2.IsThere, kept.Ok);
        if (!kept.Ok) { Assert.Contains("libargon2", kept.Refusal.Sentence); return; }
        Assert.True(PasswordSchemes.Verify(Password, kept.Value.Hash));
        Assert.False(PasswordSchemes.Verify("другой", kept.Value.Hash));
    }

    [Theory]
    [InlineData("{PLAIN}Пароль 1")]
    [InlineData("{CLEAR}Пароль 1")]
    [InlineData("{plain.b64}0J/QsNGA0L7Qu9GMIDE=")]
    public void A_password_in_clear_text_is_no_hash_and_never_kept(string text) => Assert.Equal(new KeptPassword(Password, ""), PasswordSchemes.Read(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("{SSHA}")]
    [InlineData("{SSHA}VPXR7K9mmL5DbGd5")] // cut off
    [InlineData("{SHA}VPXR7K9mmL5DbGd5S+8cGK7dBuBnj/lH")] // salted
    [InlineData("{SSHA256.HEX}no")]
    [InlineData("{SSHA.rot13}VPXR7K9mmL5DbGd5S+8cGK7dBuBnj/lH")]
    [InlineData("{CRYPT}x")]
    [InlineData("{CRAM-MD5}e0606bd6881897a9f9f40412706ce3f47ae50bbd3d9ad63c0943296134141bc8")]
    [InlineData("{WHATEVER}secret")]
    [InlineData("$6$salt$short")]
    [InlineData("$2y$05$short")]
    [InlineData("pbkdf2_sha256$1200$saltSALT12$rYGI")]
    public void What_is_no_hash_is_refused(string text) => Assert.False(PasswordSchemes.Read(text).Ok);

    [Theory]
    [InlineData("$2y$15$abcdefghijklmnopqrstuubgxblmSLKu/CAhECy1ZD5Oq0W.OPfP2")]
    [InlineData("$2y$31$abcdefghijklmnopqrstuubgxblmSLKu/CAhECy1ZD5Oq0W.OPfP2")]
    [InlineData("$5$rounds=99999999$1JJoIV3cLaCg90zR$cep06m/SGMPCTcNnjl68mpwqwwCMDuKgIpZn/oB35cA")]
    [InlineData("$sha1$400000000$abcdefgh$KJmTcstXuEy.f/DYTEQj/N1hzdQW")]
    [InlineData("{PBKDF2}$1$WxflMDFvkzk8ct5E$500000000$49b213ab71d6ea582db3c2e3454205d88964230d")]
    [InlineData("pbkdf2_sha256$5000001$saltSALT12$rYGI/bDlPPu5MCpIvemn6YXmNP11xQbs0T1TznFcEUM=")]
    [InlineData("$7$U6..../....SodiumChloride$QAd0zJRQijL./c0aOs.C8bKCuWTcfSbH0ZoGfJBcxv3")]
    [InlineData("$y$jIT$abcdefgh$lsOh.WTypyIZPh7abQEzhtPq3RIH.82Ch0g2d7veNA3")]
    [InlineData("$argon2id$v=19$m=1048576,t=3,p=1$AdANsdMAMqrFmR6VzfA7Gw$+Ig258Oi4BPw6A7cs60fe6UdKcOjN9Qvita5dA9sZBI")]
    [InlineData("$argon2id$v=19$m=65536,t=900,p=1$AdANsdMAMqrFmR6VzfA7Gw$+Ig258Oi4BPw6A7cs60fe6UdKcOjN9Qvita5dA9sZBI")]
    public void A_hash_that_would_take_seconds_or_hundreds_of_megabytes_is_refused(string hash) =>
        Assert.Contains(Argon2.IsThere || !hash.Contains("argon2") ? "too much" : "libargon2", PasswordSchemes.Read(hash).Refusal!.Sentence);

    [Theory]
    [InlineData("{SSHA512}lt6xZBOCIQKp0cqJdun4S5qtZlfCZZ396ANflQNMVFMe5YCB2vCBf7il2HYRUpxMyJ3oyZEe2OGpYXN3mWM2cwiXyAs=")]
    [InlineData("pbkdf2_sha256$1200$saltSALT12$rYGI/bDlPPu5MCpIvemn6YXmNP11xQbs0T1TznFcEUM=")]
    public async Task After_the_first_sign_in_it_is_yescrypt_and_scram_is_possible(string hash)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "before");
        Assert.True((await fixture.Users.SetAccountAsync(anna, new AccountChange { PasswordHash = hash })).Ok);
        Assert.False(fixture.Users.EverybodyHasScram);
        Assert.False((await fixture.Users.SignInAsync("anna@example.test", "before", default)).Ok);
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", Password, default)).Ok);
        Assert.StartsWith("$y$", fixture.Users.PasswordHash(anna.Id));
        Assert.True(fixture.Users.EverybodyHasScram);
        await fixture.RestartAsync();
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", Password, default)).Ok);
    }

    [Fact]
    public async Task An_import_takes_hashes_in_their_own_column_and_with_a_scheme_in_that_of_passwords()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var table = """
            address,password,hash
            a@example.test,,$1$abcdefgh$xT94kHla/E1LiX6pFYN.I1
            b@example.test,{SHA256}FP+fYt9rUWRU12O+JVB/CjrF4bL0Pm9wRffOy15kS8A=,
            c@example.test,,{PLAIN}Пароль 1
            d@example.test,secret,abQ.koL5TdkII
            e@example.test,,{CRAM-MD5}e0606bd6
            f@example.test,Пароль 1,
            """;
        var summary = (await new AccountImport(fixture.Users, fixture.Reports, fixture.Time).RunAsync(Encoding.UTF8.GetBytes(table), null, default)).Value!;
        Assert.Equal((4, 2, null), (summary.Added, summary.Failed, summary.Report));
        Assert.Equal([5, 6], summary.Errors.Select(error => error.Line));
        foreach (var name in "abcf") Assert.True((await fixture.Users.SignInAsync($"{name}@example.test", Password, default)).Ok, name.ToString());
        Assert.StartsWith("$y$", fixture.Users.PasswordHash(fixture.Users.ListAccounts().Single(one => one.Address.LocalPart == "c").Id));
    }
}
