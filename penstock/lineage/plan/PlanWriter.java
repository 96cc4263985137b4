import java.util.IdentityHashMap;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.AliasIdentifier;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InheritAnalysisRules;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedLambdaVariable;
import org.apache.spark.sql.catalyst.plans.JoinType;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.catalyst.trees.TreeNode;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Writes an analyzed plan as JSON in the shape of Spark's TreeNode.toJSON, but each part once:
 * Spark's own doubles with every CASE, and with every function that it has replaced by another.
 * Compiled by Spark's Janino, so without generics and lambdas.
 */
public class PlanWriter implements Function {
  public Object apply(Object plan) {
    StringBuilder out = new StringBuilder();
    tree((TreeNode) plan, out);
    return out.toString();
  }

  private void tree(TreeNode root, StringBuilder out) {
    out.append('[');
    node(root, out);
    out.append(']');
  }

  private void node(TreeNode node, StringBuilder out) {
    scala.collection.immutable.Seq children = node.children();
    out.append("{\"class\":");
    text(node.getClass().getName(), out);
    out.append(",\"num-children\":").append(children.size());
    if (node instanceof InheritAnalysisRules) {
      out.append(",\"replacement\":0");
    } else {
      fields(node, children, out);
    }
    out.append('}');
    for (scala.collection.Iterator each = children.iterator(); each.hasNext();) {
      out.append(',');
      node((TreeNode) each.next(), out);
    }
  }

  private void fields(TreeNode node, scala.collection.Seq children, StringBuilder out) {
    IdentityHashMap below = new IdentityHashMap();
    for (scala.collection.Iterator each = children.iterator(); each.hasNext();) {
      below.put(each.next(), Boolean.TRUE);
    }
    for (int place = 0; place < node.productArity(); place++) {
      Object value = node.productElement(place);
      if (value instanceof scala.Some) {
        value = ((scala.Some) value).value();
      }
      boolean first = value instanceof DataType && !(node instanceof AttributeReference);
      if (value == null || first || below.containsKey(value)) {
        continue;
      }
      int before = out.length();
      out.append(',');
      text(node.productElementName(place), out);
      out.append(':');
      int start = out.length();
      if (node instanceof Literal) {
        text(value.toString(), out);
      } else {
        value(value, below, out);
      }
      if (out.length() == start) {
        out.setLength(before);
      }
    }
    if (node instanceof LocalRelation && stated(node.origin())) {
      out.append(",\"stated\":1");
    }
    if (node instanceof Alias || node instanceof AttributeReference
        || node instanceof NamedLambdaVariable) {
      out.append(",\"exprId\":{\"id\":").append(((NamedExpression) node).exprId().id()).append('}');
    }
  }

  /** Whether it stands for a VALUES in the text of a query; other rows may be data. */
  private boolean stated(Origin origin) {
    if (origin.sqlText().isEmpty() || origin.startIndex().isEmpty()) {
      return false;
    }
    String text = (String) origin.sqlText().get();
    return text.regionMatches(true, ((Integer) origin.startIndex().get()).intValue(), "VALUES", 0, 6);
  }

  private void value(Object value, IdentityHashMap below, StringBuilder out) {
    if (value instanceof TreeNode) {
      tree((TreeNode) value, out);
    } else if (value instanceof DataType) {
      // a struct type is a sequence of its fields too
      type((DataType) value, out);
    } else if (value instanceof scala.collection.Seq) {
      list((scala.collection.Seq) value, below, out);
    } else if (value instanceof String) {
      text((String) value, out);
    } else if (value instanceof Integer || value instanceof Long) {
      out.append(value);
    } else if (value instanceof ExprId) {
      out.append("{\"id\":").append(((ExprId) value).id()).append('}');
    } else if (value instanceof JoinType) {
      out.append("{\"object\":");
      text(value.getClass().getName(), out);
      out.append('}');
    } else if (value instanceof AliasIdentifier) {
      named(((AliasIdentifier) value).name(), out);
    } else if (value instanceof StructField) {
      named(((StructField) value).name(), out);
    }
  }

  private void list(scala.collection.Seq values, IdentityHashMap below, StringBuilder out) {
    int start = out.length();
    for (scala.collection.Iterator each = values.iterator(); each.hasNext();) {
      Object value = each.next();
      boolean listed = value instanceof TreeNode || value instanceof ExprId
          || value instanceof scala.collection.Seq;
      if (!listed || below.containsKey(value)) {
        out.setLength(start);
        return;
      }
      out.append(out.length() == start ? '[' : ',');
      int before = out.length();
      value(value, below, out);
      if (out.length() == before) {
        out.setLength(start);
        return;
      }
    }
    if (out.length() > start) {
      out.append(']');
    }
  }

  private void type(DataType type, StringBuilder out) {
    if (type instanceof StructType || type instanceof ArrayType || type instanceof MapType) {
      out.append(type.json());
    }
  }

  private void named(String name, StringBuilder out) {
    out.append("{\"name\":");
    text(name, out);
    out.append('}');
  }

  private void text(String value, StringBuilder out) {
    out.append('"');
    for (int place = 0; place < value.length(); place++) {
      char letter = value.charAt(place);
      if (letter == '"' || letter == '\\') {
        out.append('\\').append(letter);
      } else if (letter < ' ' || letter > '~') {
        out.append("\\u");
        String hex = Integer.toHexString(letter);
        for (int zeros = hex.length(); zeros < 4; zeros++) {
          out.append('0');
        }
        out.append(hex);
      } else {
        out.append(letter);
      }
    }
    out.append('"');
  }
}
