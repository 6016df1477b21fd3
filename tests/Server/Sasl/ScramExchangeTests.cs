using System.Security.Cryptography;
using System.Text;
using CbaMail.Directory;
using CbaMail.Sasl;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

/// <summary>RFC 5802 and RFC 7677, message by message.</summary>
public class ScramExchangeTests
{
    static ScramSecret Pencil(string salt)
    {
        var bytes = Convert.FromBase64String(salt);
        return new(bytes, 4096, ScramKeys.Make("pencil"u8.ToArray(), bytes, 4096, HashAlgorithmName.SHA1), ScramKeys.Make("pencil"u8.ToArray(), bytes, 4096, HashAlgorithmName.SHA256));
    }

    static readonly ScramSecret pencil1 = Pencil("QSXCR+Q6sek8bf92"), pencil256 = Pencil("W22ZaJ0SNY7soEsUEjb6gQ==");
    static readonly byte[] binding = "the channel"u8.ToArray();

    static ScramExchange Exchange1(bool plus = false, bool announced = false, Action<string>? asked = null) => new(HashAlgorithmName.SHA1, plus,
        new(user => { asked?.Invoke(user); return pencil1; }, type => type is "tls-exporter" or "tls-server-end-point" ? binding : null, announced), "3rfcNHYJY1ZVvWVs7j");

    static SaslStep Say(SaslExchange exchange, string text) => exchange.Respond(Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text))));
    static string? Heard(SaslStep step) => step.Challenge is null ? null : Encoding.UTF8.GetString(Convert.FromBase64String(step.Challenge));

    // the client's side of RFC 5802 3
    static string Final(string gs2, byte[] cbind, string bare, string serverFirst, string password = "pencil", string more = "")
    {
        var fields = serverFirst.Split(',');
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), Convert.FromBase64String(fields[1][2..]), int.Parse(fields[2].AsSpan(2), null), HashAlgorithmName.SHA1, 20);
        var without = $"c={Convert.ToBase64String([.. Encoding.UTF8.GetBytes(gs2), .. cbind])},{fields[0]}{more}";
        var key = HMACSHA1.HashData(salted, "Client Key"u8);
        var signature = HMACSHA1.HashData(SHA1.HashData(key), Encoding.UTF8.GetBytes($"{bare},{serverFirst},{without}"));
        return $"{without},p={Convert.ToBase64String(key.Zip(signature, (a, b) => (byte)(a ^ b)).ToArray())}";
    }

    [Fact]
    public void The_example_of_RFC_5802_5()
    {
        var exchange = Exchange1();
        Assert.Equal("", exchange.Begin().Challenge);
        Assert.Equal("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", Heard(Say(exchange, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")));
        Assert.Equal("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", Heard(Say(exchange, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")));
        Assert.Equal(new Proof("user", true), Say(exchange, "").Credentials);
    }

    [Fact]
    public void The_example_of_RFC_7677_3()
    {
        var exchange = new ScramExchange(HashAlgorithmName.SHA256, false, new(_ => pencil256, _ => null, false), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        Assert.Equal("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Heard(Say(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
        Assert.Equal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            Heard(Say(exchange, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")));
        Assert.Equal(new Proof("user", true), Say(exchange, "").Credentials);
    }

    [Theory]
    [InlineData("pencil", true)]
    [InlineData("pencils", false)]
    public void Only_the_password_proves(string password, bool right)
    {
        var exchange = Exchange1();
        var first = Heard(Say(exchange, "n,,n=user,r=abc"))!;
        var step = Say(exchange, Final("n,,", [], "n=user,r=abc", first, password));
        if (right) Assert.StartsWith("v=", Heard(step), StringComparison.Ordinal);
        else Assert.Equal(new Proof("user", false), step.Credentials);
    }

    [Fact]
    public void The_channel_binding_must_be_ours() // RFC 5802 6
    {
        foreach (var (bytes, right) in new[] { (binding, true), ("another"u8.ToArray(), false), ([], false) })
        {
            var exchange = Exchange1(plus: true, announced: true);
            var first = Heard(Say(exchange, "p=tls-exporter,,n=user,r=abc"))!;
            Assert.Equal(right, Heard(Say(exchange, Final("p=tls-exporter,,", bytes, "n=user,r=abc", first))) is not null);
        }
    }

    [Fact]
    public void The_header_in_the_proof_must_be_the_one_that_came_first()
    {
        var exchange = Exchange1();
        var first = Heard(Say(exchange, "y,,n=user,r=abc"))!;
        Assert.Equal(new Proof("user", false), Say(exchange, Final("n,,", [], "n=user,r=abc", first)).Credentials);
    }

    [Theory] // RFC 5802 6: the flags against what is announced
    [InlineData(false, false, "n,,", true)]
    [InlineData(false, true, "n,,", true)]
    [InlineData(false, false, "y,,", true)]
    [InlineData(false, true, "y,,", false)]                       // -PLUS was announced and the client has not seen it: a downgrade
    [InlineData(true, true, "n,,", false)]
    [InlineData(true, true, "y,,", false)]
    [InlineData(true, true, "p=tls-server-end-point,,", true)]
    [InlineData(true, true, "p=tls-unique,,", false)]
    [InlineData(false, true, "p=tls-exporter,,", false)]
    public void Flags(bool plus, bool announced, string header, bool goesOn)
    {
        var step = Say(Exchange1(plus, announced), header + "n=user,r=abc");
        Assert.Equal(goesOn, step.Challenge is not null);
        if (!goesOn) Assert.NotNull(step.Problem);
    }

    [Theory]
    [InlineData("n,,n=a=2Cb=3Dc,r=abc", "a,b=c")]
    [InlineData("n,a=user,n=user,r=abc", "user")]
    [InlineData("n,,n=I\u00ADX,r=abc,x=later", "IX")]              // RFC 4013; an extension that may be passed over
    public void Names(string message, string name)
    {
        string? asked = null;
        Assert.NotNull(Say(Exchange1(asked: user => asked = user), message).Challenge);
        Assert.Equal(name, asked);
    }

    [Theory]
    [InlineData("")]
    [InlineData("n")]
    [InlineData("n,,")]
    [InlineData("n,,n=user")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=user,r=")]
    [InlineData("n,,r=abc,n=user")]
    [InlineData("n,,n=us=er,r=abc")]
    [InlineData("n,,n=us=2cer,r=abc")]                            // RFC 5802 5.1: "=2C" in capitals
    [InlineData("n,,n=user,r=a b")]
    [InlineData("n,user,n=user,r=abc")]
    [InlineData("q,,n=user,r=abc")]
    [InlineData("p=,,n=user,r=abc")]
    [InlineData("n,,n=user,r=abc,,")]
    [InlineData("n,,n=a\0b,r=abc")]
    public void What_is_no_first_message_is_malformed(string message) => Assert.True(Say(Exchange1(), message).IsMalformed);

    [Fact]
    public void An_extension_that_must_be_known_ends_it() => Assert.NotNull(Say(Exchange1(), "n,,m=x,n=user,r=abc").Problem); // RFC 5802 5.1

    [Theory]
    [InlineData("")]
    [InlineData("c=biws")]
    [InlineData("c=biws,r=abc")]
    [InlineData("r=abc,c=biws,p=AAAA")]
    [InlineData("c=!,r=abc,p=AAAA")]
    [InlineData("c=biws,r=abc,p=A")]
    public void What_is_no_final_message_is_malformed(string message)
    {
        var exchange = Exchange1();
        Say(exchange, "n,,n=user,r=abc");
        Assert.True(Say(exchange, message).IsMalformed);
    }

    [Fact]
    public void A_nonce_of_another_exchange_proves_nothing()
    {
        var exchange = Exchange1();
        var first = Heard(Say(exchange, "n,,n=user,r=abc"))!;
        Assert.Equal(new Proof("user", false), Say(exchange, Final("n,,", [], "n=user,r=abc", first.Replace("r=abc", "r=abd", StringComparison.Ordinal))).Credentials);
    }

    [Fact]
    public void Nobody_acts_for_another()
    {
        var exchange = Exchange1();
        var first = Heard(Say(exchange, "n,a=admin,n=user,r=abc"))!;
        Assert.Equal(new Proof("user", false), Say(exchange, Final("n,a=admin,", [], "n=user,r=abc", first)).Credentials);
    }

    [Fact]
    public void Extensions_of_the_final_message_are_part_of_what_is_proved()
    {
        var exchange = Exchange1();
        var first = Heard(Say(exchange, "n,,n=user,r=abc"))!;
        Assert.NotNull(Say(exchange, Final("n,,", [], "n=user,r=abc", first, more: ",x=y")).Challenge);
    }

    [Fact]
    public void The_server_nonce_differs_each_time()
    {
        var surroundings = new ScramSurroundings(_ => pencil1, _ => null, false);
        Assert.Equal(20, Enumerable.Range(0, 20).Select(_ => Heard(Say(new ScramExchange(HashAlgorithmName.SHA1, false, surroundings), "n,,n=user,r=abc"))).Distinct().Count());
    }

    [Theory]
    [InlineData(17)]
    public void Nothing_that_is_sent_breaks_it(int seed)
    {
        var random = new Random(seed);
        const string letters = "n,=yp-arcmx2CD3 \0\u044f\r\ntls";
        for (var i = 0; i < 5000; i++)
        {
            var exchange = Exchange1(plus: random.Next(2) == 0);
            for (var turn = 0; turn < 3; turn++)
                Assert.False(Say(exchange, (random.Next(2) == 0 ? "n,,n=user,r=abc" : "") + new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => letters[random.Next(letters.Length)])])).Credentials is Proof { IsRight: true }, $"seed {seed}");
        }
    }
}
