using System.Net;
using System.Net.Sockets;
using CbaMail.Delivery.Remote;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

public class StsFetchTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("169.254.169.254")]
    public async Task A_strangers_domain_leads_nobody_into_our_own_net(string inside)
    {
        using var door = new TcpListener(IPAddress.Loopback, 0);
        door.Start();
        var zone = new TestZone().Add("mta-sts.evil.test", inside);
        var fetched = await new StsFetch(zone, ((IPEndPoint)door.LocalEndpoint).Port, [], TimeProvider.System, address => !Outward.IsPrivate(address)).GetAsync("evil.test", TestContext.Current.CancellationToken);
        Assert.Null(fetched.Policy);
        Assert.False(door.Pending());
    }
}
