using CbaMail.Tests.Server.Imap;
using CbaMail.Tests.Server.Pop3;
using Xunit;

namespace CbaMail.Tests.Server;

/// <summary>
/// Where the whole process is measured, its heap or all that it allocates: the heap is everybody's, so these tests run when all others have ended, one at a time.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection : ICollectionFixture<ImapFixture>, ICollectionFixture<Pop3Fixture>
{
    public const string Name = "measures of the process";
}
