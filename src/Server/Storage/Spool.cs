using System.Buffers;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Storage.Blobs;

namespace CbaMail.Storage;

/// <summary>
/// Takes an arriving message: in pooled memory up to <see cref="StorageSettings.SpoolMemoryBytes"/>, above that in a file of
/// <c>DATA/spool</c> that has no name any more and vanishes with the process. Append, then read <see cref="Content"/>.
/// </summary>
public sealed class SpooledMessage : IDisposable
{
    readonly string directory;
    readonly int memoryLimit;
    byte[] buffer = Buffers.Rent(16 * 1024);
    int buffered;
    FileStream? file;
    MappedMemory? mapped;

    readonly StoreCondition? condition;
    readonly MemoryGate? memory;

    internal SpooledMessage(string directory, int memoryLimit, StoreCondition? condition, MemoryGate? memory) =>
        (this.directory, this.memoryLimit, this.condition, this.memory) = (directory, memoryLimit, condition, memory);

    public long Length { get; private set; }

    /// <summary>A crowd that sends at once would take more between two looks at the memory than there is: what may not grow goes to its file.</summary>
    bool MayGrow => memory is null || (!memory.IsTight && memory.Ask(Grown - buffer.Length) is not null);

    int Grown => (int)Math.Min(Math.Max(buffer.Length * 4L, Length), Math.Max(Length, memoryLimit));

    /// <exception cref="IOException">No space is left.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (mapped is not null) throw new InvalidOperationException("The message has been read already.");
        Length += bytes.Length;
        if (file is null && (Length > memoryLimit || (Length > buffer.Length && !MayGrow)))
        {
            var name = Path.Combine(directory, Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture));
            file = new FileStream(name, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            File.Delete(name);
            if (Descriptors.AreScarce(file.SafeFileHandle)) throw new IOException(StoreTrouble.Descriptors.Sentence, 24);
            file.Write(buffer, 0, buffered);
            buffered = 0;
        }
        if (file is not null)
        {
            if (buffered + bytes.Length > buffer.Length)
            {
                // large messages must not eat the reserve up before they are refused
                if (condition is { IsShort: true }) throw new IOException(StoreTrouble.Full.Sentence, 28);
                file.Write(buffer, 0, buffered);
                buffered = 0;
                if (bytes.Length >= buffer.Length) { file.Write(bytes); return; }
            }
        }
        else if (Length > buffer.Length)
        {
            var larger = Buffers.Rent(Grown);
            buffer.AsSpan(0, buffered).CopyTo(larger);
            Buffers.Return(buffer);
            buffer = larger;
        }
        bytes.CopyTo(buffer.AsSpan(buffered));
        buffered += bytes.Length;
    }

    /// <summary>All bytes, contiguous; valid until disposed. Nothing can be appended after.</summary>
    public ReadOnlyMemory<byte> Content
    {
        get
        {
            if (file is null) return buffer.AsMemory(0, buffered);
            if (mapped is null)
            {
                file.Write(buffer, 0, buffered);
                buffered = 0;
                mapped = new MappedMemory(file, checked((int)Length));
            }
            return mapped.Memory;
        }
    }

    public void Dispose()
    {
        ((IDisposable?)mapped)?.Dispose();
        file?.Dispose();
        if (buffer.Length > 0) Buffers.Return(buffer);
        (buffer, buffered, file, mapped) = ([], 0, null, null);
    }

    // a file as Memory<byte>: pages come from the kernel's cache, the managed heap holds nothing
    sealed unsafe class MappedMemory : MemoryManager<byte>
    {
        readonly MemoryMappedFile map;
        readonly MemoryMappedViewAccessor view;
        readonly byte* start;
        readonly int length;

        public MappedMemory(FileStream file, int length)
        {
            map = MemoryMappedFile.CreateFromFile(file, null, length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            start += view.PointerOffset;
            this.length = length;
        }

        public override Span<byte> GetSpan() => new(start, length);
        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);
        public override void Unpin() { }

        protected override void Dispose(bool disposing)
        {
            if (!disposing) return;
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            map.Dispose();
        }
    }
}

/// <summary>Makes spooled messages; owns <c>DATA/spool</c>.</summary>
public sealed class Spool
{
    readonly string directory;
    readonly int memoryLimit;

    readonly StoreCondition? condition;
    readonly MemoryGate? memory;

    public Spool(Settings settings, Store? store = null, MemoryGate? memory = null)
    {
        this.memory = memory;
        condition = store?.Condition;
        directory = Path.Combine(Path.GetFullPath(settings.Data), "spool");
        memoryLimit = settings.Storage.SpoolMemoryBytes;
        System.IO.Directory.CreateDirectory(directory);
    }

    /// <summary>Removes files that a killed process has left: a file of ours loses its name as soon as it has one.</summary>
    public void RemoveLeftovers()
    {
        foreach (var path in System.IO.Directory.EnumerateFiles(directory)) File.Delete(path);
    }

    public SpooledMessage Create() => new(directory, memoryLimit, condition, memory);
}
