namespace CbaMail.Sasl;

/// <summary>RFC 4616.</summary>
sealed class PlainExchange : SaslExchange
{
    // RFC 4616 2: [authzid] NUL authcid NUL passwd
    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        var first = response.IndexOf((byte)0);
        if (first < 0) return default;
        var rest = response[(first + 1)..];
        var second = rest.IndexOf((byte)0);
        if (second <= 0) return default;
        var (authorize, user, password) = (Text(response[..first]), Text(rest[..second]), Text(rest[(second + 1)..]));
        if (authorize is null || user is null || password is null) return default;
        // acting for somebody else is not offered: the sign-in then fails like any other (RFC 4616 2)
        return authorize.Length == 0 || authorize.Equals(user, StringComparison.OrdinalIgnoreCase)
            ? new SaslStep(null, new Credentials(user, password))
            : new SaslStep(null, new Credentials("", ""));
    }
}

/// <summary>LOGIN (draft-murchison-sasl-login): what Outlook speaks. An initial response is the user name.</summary>
sealed class LoginExchange : SaslExchange
{
    string? user;

    public override SaslStep Begin() => new("VXNlcm5hbWU6", null); // Username:

    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (Text(response) is not { } text) return default;
        if (user is not null) return new SaslStep(null, new Credentials(user, text));
        user = text;
        return new SaslStep("UGFzc3dvcmQ6", null); // Password:
    }
}

/// <summary>EXTERNAL (RFC 4422 A): the certificate of the connection; the response is whom to be, or empty.</summary>
sealed class ExternalExchange : SaslExchange
{
    public override SaslStep Next(ReadOnlySpan<byte> response) =>
        Text(response) is { } user ? new SaslStep(null, new ByCertificate(user)) : default;
}
