using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public sealed class MboxTests
{
    static List<string> Read(string file) => [.. Mbox.Read(Encoding.UTF8.GetBytes(file)).Select(Encoding.UTF8.GetString)];

    [Fact]
    public void Messages_are_parted_where_a_line_begins_with_From_behind_an_empty_one() =>
        Assert.Equal(["Subject: a\r\n\r\nFrom here\r\nFrom there\r\n", "Subject: b\r\n\r\nx\r\n"], Read("From a@x Thu\nSubject: a\n\n>From here\nFrom there\n\nFrom b@x Fri\r\nSubject: b\r\n\r\nx\r\n"));

    [Fact]
    public void What_is_no_mbox_has_no_messages() => Assert.Empty(Read("anna@example.org\n"));

    [Theory]
    [InlineData("Subject: a\r\n\r\nFrom here\r\n>From there\r\n\r\nFrom on\r\n")]
    [InlineData("Subject: a\r\n\r\n\r\n\r\n")]
    public void What_is_written_is_read_as_it_was(string message)
    {
        using var file = new MemoryStream();
        foreach (var _ in new int[2]) Mbox.Write(file, Encoding.UTF8.GetBytes(message));
        Assert.Equal([message, message], Mbox.Read(file.ToArray()).Select(Encoding.UTF8.GetString));
    }
}
