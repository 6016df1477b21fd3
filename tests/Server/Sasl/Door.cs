using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Net;
using CbaMail.Sasl;
using CbaMail.Tests.Server.Directory;
using CbaMail.Tests.Server.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Sasl;

/// <summary>Where a mechanism's conversation is begun: the door of a directory, a connection that comes to it, and what is said there.</summary>
internal static class Door
{
    public static SignIn Of(DirectoryFixture fixture, ITokenCheck? issuer = null, ApplicationPasswords? applications = null, SecondFactors? factors = null)
    {
        var settings = new Settings { Evaluation = true };
        return new SignIn(settings, fixture.Users, new LoginLimits(settings, TimeProvider.System), TimeProvider.System, NullLogger<SignIn>.Instance, tokens: issuer, applications: applications, factors: factors);
    }

    public static Connection Visitor(Protocol protocol = Protocol.Imap) => Connection.Over(new MemoryTransport().Server, new ListenerSettings { Protocol = protocol });

    public static byte[] Said(string text) => Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
}
