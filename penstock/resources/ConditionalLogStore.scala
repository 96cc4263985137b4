package penstock

import java.io.{ByteArrayOutputStream, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.FileAlreadyExistsException
import java.util

import io.delta.storage.HadoopFileSystemLogStore
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, FSDataOutputStreamBuilder, FileSystem, Path}

/** Delta's log on S3, where a version is created only if nobody has created it: a conditional PUT.
  *
  * The stock store asks whether the file is there and then creates it. Of two drivers that do so at
  * the same moment both are told that they committed, and one commit is lost. Here S3 refuses the
  * second (412), and Delta takes that for what it is: a conflict.
  */
class ConditionalLogStore(conf: Configuration) extends HadoopFileSystemLogStore(conf) {
  private val conditional = "fs.option.create.conditional.overwrite"

  override def write(
      path: Path,
      actions: util.Iterator[String],
      overwrite: java.lang.Boolean,
      hadoopConf: Configuration
  ): Unit = {
    // whole before the first byte is sent: a stream that is closed half-way would publish half
    val buffer = new ByteArrayOutputStream
    actions.forEachRemaining(action => buffer.write((action + "\n").getBytes(UTF_8)))
    val bytes = buffer.toByteArray
    val fs = path.getFileSystem(hadoopConf)
    val file = fs.createFile(path).recursive().overwrite(overwrite)
    if (overwrite) put(file, bytes)
    else
      try put(file.must(conditional, true), bytes)
      catch {
        case refused: IOException if fs.exists(path) =>
          // the first try may have arrived and its answer not; then what was refused is the second
          if (!util.Arrays.equals(read(fs, path), bytes))
            throw new FileAlreadyExistsException(path.toString).initCause(refused)
      }
  }

  override def isPartialWriteVisible(path: Path, hadoopConf: Configuration): java.lang.Boolean =
    false

  private def put(file: FSDataOutputStreamBuilder[_, _], bytes: Array[Byte]): Unit = {
    val stream = file.build().asInstanceOf[FSDataOutputStream]
    stream.write(bytes)
    stream.close()
  }

  private def read(fs: FileSystem, path: Path): Array[Byte] = {
    val stream = fs.open(path)
    try stream.readAllBytes()
    finally stream.close()
  }
}
